// Dead letters, and the tasks that move them.
'use strict';

const { Queue, assert, bodies, call, fails, newFifo, newName, newPair,
    newQueue, redrive, test, until } = require('../kit');

const VALUE = 'InvalidParameterValue';
const ABSENT = 'ResourceNotFoundException';

// Let all the messages of the queue fail until they are dead letters.
async function failAll(queue, letters, count)
{
	await until(async () => {
		await queue.receive({ MaxNumberOfMessages: 10,
		    VisibilityTimeout: 0 });
		return (await letters.counts())[0] === count;
	}, `${count} dead letters`);
}

async function fillLetters(queue, letters, ...all)
{
	for (const body of all)
		await queue.send(body);
	await failAll(queue, letters, all.length);
}

async function tasksOf(queue, max)
{
	const answer = await call('ListMessageMoveTasks',
	    { SourceArn: queue.arn, MaxResults: max });
	return answer.Results ?? [];
}

function start(queue, more = {})
{
	return call('StartMessageMoveTask', { SourceArn: queue.arn, ...more });
}

// The last task of the queue, once it has that status.
function waitStatus(queue, status)
{
	return until(async () => {
		const [task] = await tasksOf(queue);
		return task?.Status === status && task;
	}, `a task that is ${status}`);
}

test('a message received more often than allowed becomes a dead letter',
    async () => {
	const [queue, letters] = await newPair(2);
	const sent = await queue.send('poison', { MessageAttributes: {
	    a: { DataType: 'String', StringValue: 'b' } } });
	let message;
	for (const count of ['1', '2']) {
		message = await queue.one({ VisibilityTimeout: 0,
		    AttributeNames: ['All'] });
		assert.equal(message.Attributes.ApproximateReceiveCount,
		    count);
		assert.equal(message.Attributes.DeadLetterQueueSourceArn,
		    undefined);
	}
	assert.deepEqual(await queue.receive(), []);
	await letters.waitCounts(1, 0, 0);
	const letter = await letters.one({ AttributeNames: ['All'],
	    MessageAttributeNames: ['All'] });
	assert.deepEqual([letter.Body, letter.MessageId,
	    letter.MessageAttributes.a.StringValue],
	    ['poison', sent.MessageId, 'b']);
	assert.equal(letter.Attributes.DeadLetterQueueSourceArn, queue.arn);
	// A standard dead letter keeps the time at which it was sent.
	assert.equal(letter.Attributes.SentTimestamp,
	    message.Attributes.SentTimestamp);
});

test('the last receive before it says nothing of a dead letter', async () => {
	const [queue, letters] = await newPair(1);
	for (let i = 0; i < 40; i++) {
		await queue.send(String(i));
		const { Attributes } = await queue.one({ VisibilityTimeout: 0,
		    AttributeNames: ['All'] });
		assert.equal(Attributes.ApproximateReceiveCount, '1');
		assert.equal(Attributes.DeadLetterQueueSourceArn, undefined);
	}
	await letters.waitCounts(40, 0, 0);
});

test('a message whose timeout runs out becomes a dead letter too',
    async () => {
	const [queue, letters] = await newPair(1, { VisibilityTimeout: '1' });
	await queue.send('slow');
	await queue.one();
	await until(async () => {
		assert.deepEqual(await queue.receive(), []);
		return (await letters.counts())[0] === 1;
	}, 'the dead letter');
});

test('a deleted message never becomes a dead letter', async () => {
	const [queue, letters] = await newPair(1);
	await queue.send('good');
	await queue.remove(await queue.one());
	assert.deepEqual(await queue.receive(), []);
	assert.deepEqual(await letters.counts(), [0, 0, 0]);
});

test('a FIFO dead letter keeps its group, its ID deduplicates', async () => {
	const [queue, letters] = await newPair(1, { FifoQueue: 'true',
	    ContentBasedDeduplication: 'true' });
	await queue.send('poison', { MessageGroupId: 'g' });
	await queue.send('next', { MessageGroupId: 'g' });
	await queue.one({ VisibilityTimeout: 0 });
	assert.equal((await queue.one()).Body, 'next');
	const letter = await letters.one({ AttributeNames: ['All'] });
	assert.equal(letter.Body, 'poison');
	assert.equal(letter.Attributes.MessageGroupId, 'g');
	assert.equal(letter.Attributes.MessageDeduplicationId,
	    letter.MessageId);
	assert.equal(letter.Attributes.DeadLetterQueueSourceArn, queue.arn);
});

test('ListDeadLetterSourceQueues names the sources, in pages', async () => {
	const letters = await newQueue();
	const list = (more = {}) =>
	    letters.call('ListDeadLetterSourceQueues', more);
	assert.deepEqual((await list()).queueUrls ?? [], []);
	const urls = [];
	for (let i = 0; i < 3; i++)
		urls.push((await newQueue(
		    { RedrivePolicy: redrive(letters, 5) })).url);
	assert.deepEqual((await list()).queueUrls.sort(), urls.sort());
	const first = await list({ MaxResults: 2 });
	assert.equal(first.queueUrls.length, 2);
	const rest = await list({ MaxResults: 2,
	    NextToken: first.NextToken });
	assert.deepEqual([...first.queueUrls, ...rest.queueUrls].sort(), urls);
	assert.equal(rest.NextToken, undefined);
	for (const bad of [0, 1001])
		await fails(list({ MaxResults: bad }), VALUE);
});

test('a move task brings dead letters back where they came from',
    async () => {
	const [queue, letters] = await newPair(1);
	const sent = await queue.send('1');
	await failAll(queue, letters, 1);
	await queue.send('2');
	await failAll(queue, letters, 2);
	const before = Date.now();
	const { TaskHandle } = await start(letters);
	assert.ok(TaskHandle);
	const task = await waitStatus(letters, 'COMPLETED');
	const { StartedTimestamp, ...rest } = task;
	assert.deepEqual(rest, { SourceArn: letters.arn, Status: 'COMPLETED',
	    ApproximateNumberOfMessagesMoved: 2,
	    ApproximateNumberOfMessagesToMove: 2 });
	assert.ok(before - 1000 <= StartedTimestamp &&
	    StartedTimestamp <= Date.now() + 1000);
	await queue.waitCounts(2, 0, 0);
	await letters.waitCounts(0, 0, 0);
	const messages = await queue.take(2, { AttributeNames: ['All'] });
	assert.deepEqual(bodies(messages).sort(), ['1', '2']);
	for (const message of messages) {
		assert.notEqual(message.MessageId, sent.MessageId);
		assert.equal(message.Attributes.ApproximateReceiveCount, '1');
	}
});

test('dead letters of several queues go back to each of them', async () => {
	const [one, letters] = await newPair(1);
	const two = await newQueue({ RedrivePolicy: redrive(letters, 1) });
	await fillLetters(one, letters, 'one');
	await two.send('two');
	await failAll(two, letters, 2);
	await start(letters);
	await waitStatus(letters, 'COMPLETED');
	assert.equal((await one.one()).Body, 'one');
	assert.equal((await two.one()).Body, 'two');
});

test('a move task brings dead letters to another queue', async () => {
	const [queue, letters] = await newPair(1);
	const other = await newQueue();
	await fillLetters(queue, letters, 'a', 'b');
	await start(letters, { DestinationArn: other.arn });
	const task = await waitStatus(letters, 'COMPLETED');
	assert.equal(task.DestinationArn, other.arn);
	assert.equal(task.ApproximateNumberOfMessagesMoved, 2);
	assert.deepEqual(bodies(await other.take(2)).sort(), ['a', 'b']);
	assert.deepEqual(await queue.counts(), [0, 0, 0]);
});

test('a task with a rate runs, shows its progress, and is cancelled',
    async () => {
	const [queue, letters] = await newPair(1);
	await fillLetters(queue, letters, '1', '2', '3', '4', '5', '6', '7',
	    '8', '9');
	const { TaskHandle } = await start(letters,
	    { MaxNumberOfMessagesPerSecond: 1 });
	const [running] = await tasksOf(letters);
	assert.deepEqual([running.Status, running.TaskHandle,
	    running.MaxNumberOfMessagesPerSecond,
	    running.ApproximateNumberOfMessagesToMove],
	    ['RUNNING', TaskHandle, 1, 9]);
	await fails(start(letters), VALUE, /already a task running/);
	const answer = await call('CancelMessageMoveTask', { TaskHandle });
	assert.ok(answer.ApproximateNumberOfMessagesMoved < 9);
	const task = await waitStatus(letters, 'CANCELLED');
	assert.equal(task.TaskHandle, undefined);
	const moved = task.ApproximateNumberOfMessagesMoved;
	await queue.waitCounts(moved, 0, 0);
	await letters.waitCounts(9 - moved, 0, 0);
	await fails(call('CancelMessageMoveTask', { TaskHandle }),
	    [VALUE, ABSENT, 'UnsupportedOperation']);
	// Another may start now.
	await start(letters);
	await waitStatus(letters, 'COMPLETED');
	await queue.waitCounts(9, 0, 0);
	assert.deepEqual((await tasksOf(letters, 10)).map((t) => t.Status),
	    ['COMPLETED', 'CANCELLED']);
	assert.equal((await tasksOf(letters)).length, 1);
});

test('a task moves at its rate and no faster', async () => {
	const [queue, letters] = await newPair(1);
	await fillLetters(queue, letters, '1', '2', '3', '4');
	const began = Date.now();
	await start(letters, { MaxNumberOfMessagesPerSecond: 2 });
	await waitStatus(letters, 'COMPLETED');
	assert.ok(Date.now() - began >= 900);
	assert.equal((await queue.counts())[0], 4);
});

test('a task whose destination is deleted has failed', async () => {
	const [queue, letters] = await newPair(1);
	const other = await newQueue();
	await fillLetters(queue, letters, '1', '2', '3', '4', '5');
	await start(letters, { DestinationArn: other.arn,
	    MaxNumberOfMessagesPerSecond: 1 });
	await other.call('DeleteQueue');
	const task = await waitStatus(letters, 'FAILED');
	assert.match(task.FailureReason, /NonExistentQueue|QueueDoesNotExist/);
	assert.equal((await letters.counts())[0],
	    5 - task.ApproximateNumberOfMessagesMoved);
});

test('a task of FIFO queues keeps groups and order', async () => {
	const [queue, letters] = await newPair(1, { FifoQueue: 'true',
	    ContentBasedDeduplication: 'true' });
	for (const body of ['1', '2', '3'])
		await queue.send(body, { MessageGroupId: 'g' });
	await failAll(queue, letters, 3);
	await start(letters);
	await waitStatus(letters, 'COMPLETED');
	const messages = await queue.receive({ MaxNumberOfMessages: 10,
	    AttributeNames: ['MessageGroupId'] });
	assert.deepEqual(bodies(messages), ['1', '2', '3']);
	assert.equal(messages[0].Attributes.MessageGroupId, 'g');
});

test('a task wants a dead-letter queue that is there', async () => {
	const queue = await newQueue();
	const absent = new Queue(newName('-absent'));
	await fails(start(queue), VALUE, /Dead Letter Queue/i);
	await fails(start(absent), ABSENT, /SourceArn/);
	await fails(start({ arn: 'dummy' }), [VALUE, 'InvalidAddress', ABSENT]);
	await fails(call('StartMessageMoveTask', {}), 'MissingParameter',
	    /SourceArn/);
	await fails(tasksOf(absent), ABSENT, /SourceArn/);
	assert.deepEqual(await tasksOf(queue), []);
	await fails(call('ListMessageMoveTasks', {}), 'MissingParameter',
	    /SourceArn/);
});

test('a task wants a destination that is there and of the same kind',
    async () => {
	const [, letters] = await newPair(1);
	const absent = new Queue(newName('-absent'));
	await fails(start(letters, { DestinationArn: absent.arn }), ABSENT,
	    /DestinationArn/);
	await fails(start(letters, { DestinationArn: (await newFifo()).arn }),
	    [VALUE, 'UnsupportedOperation']);
});

test('a task wants a rate of 1 to 500, a list 1 to 10 results', async () => {
	const [, letters] = await newPair(1);
	for (const bad of [0, 501, -1])
		await fails(start(letters,
		    { MaxNumberOfMessagesPerSecond: bad }), VALUE);
	for (const bad of [0, 11])
		await fails(tasksOf(letters, bad), VALUE, /MaxResults/);
	await start(letters, { MaxNumberOfMessagesPerSecond: 500 });
	await waitStatus(letters, 'COMPLETED');
});

test('an unknown task cannot be cancelled', async () => {
	await fails(call('CancelMessageMoveTask', { TaskHandle: 'garbage' }),
	    [VALUE, ABSENT]);
	await fails(call('CancelMessageMoveTask', {}), 'MissingParameter',
	    /TaskHandle/);
});

test('an empty dead-letter queue makes a task of nothing', async () => {
	const [, letters] = await newPair(1);
	await start(letters);
	const task = await waitStatus(letters, 'COMPLETED');
	assert.equal(task.ApproximateNumberOfMessagesMoved, 0);
});
