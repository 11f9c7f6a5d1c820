// FIFO queues: groups, order, deduplication, attempts.
'use strict';

const { assert, bodies, fails, newFifo, sleep, test } = require('../kit');

const VALUE = 'InvalidParameterValue';
const TEN = { MaxNumberOfMessages: 10 };

let keys = 0;

// Send each as a message of the group, under a deduplication ID of its own.
async function fill(queue, group, ...all)
{
	for (const body of all)
		await queue.send(body, { MessageGroupId: group,
		    MessageDeduplicationId: `key-${keys += 1}` });
}

async function removeAll(queue, messages)
{
	for (const message of messages)
		await queue.remove(message);
}

test('a message of a FIFO queue has its system attributes', async () => {
	const queue = await newFifo();
	const sent = await queue.send('a', { MessageGroupId: 'group-1',
	    MessageDeduplicationId: 'dedup-1' });
	assert.match(sent.SequenceNumber, /^\d{1,40}$/);
	const message = await queue.one({ AttributeNames: ['All'] });
	const { SentTimestamp, ApproximateFirstReceiveTimestamp, ...rest } =
	    message.Attributes;
	assert.ok(SentTimestamp <= ApproximateFirstReceiveTimestamp);
	assert.deepEqual(rest, { ApproximateReceiveCount: '1',
	    MessageDeduplicationId: 'dedup-1', MessageGroupId: 'group-1',
	    SenderId: '000000000000', SequenceNumber: sent.SequenceNumber });
});

test('a group keeps its order and comes one batch at a time', async () => {
	const queue = await newFifo();
	await fill(queue, 'g', '1', '2', '3', '4');
	const first = await queue.receive({ MaxNumberOfMessages: 2 });
	assert.deepEqual(bodies(first), ['1', '2']);
	assert.deepEqual(await queue.receive(TEN), []);
	await queue.remove(first[0]);
	assert.deepEqual(await queue.receive(TEN), []);
	await queue.remove(first[1]);
	assert.deepEqual(bodies(await queue.receive(TEN)), ['3', '4']);
});

test('a blocked group does not block the others', async () => {
	const queue = await newFifo();
	await fill(queue, 'a', 'a1', 'a2');
	await fill(queue, 'b', 'b1', 'b2');
	const [a1] = await queue.receive();
	assert.equal(a1.Body, 'a1');
	const b = await queue.receive(TEN);
	assert.deepEqual(bodies(b), ['b1', 'b2']);
	assert.deepEqual(await queue.receive(TEN), []);
	await queue.remove(a1);
	assert.deepEqual(bodies(await queue.receive(TEN)), ['a2']);
});

test('a message whose timeout ran out comes first in its group again',
    async () => {
	const queue = await newFifo();
	await fill(queue, 'g', '1', '2', '3');
	const [first] = await queue.receive({ VisibilityTimeout: 1 });
	assert.equal(first.Body, '1');
	assert.equal((await queue.one()).Body, '1');
});

test('a message given back comes first in its group again', async () => {
	const queue = await newFifo();
	await fill(queue, 'g', '1', '2');
	await queue.change(await queue.one(), 0);
	assert.deepEqual(bodies(await queue.receive(TEN)), ['1', '2']);
});

test('a waiting receiver gets the group once it is free', async () => {
	const queue = await newFifo();
	await fill(queue, 'g', '1', '2');
	const first = await queue.one();
	const waiting = queue.one();
	await sleep(50);
	await queue.remove(first);
	assert.equal((await waiting).Body, '2');
});

test('a repeat of a deduplication ID is not sent again', async () => {
	const queue = await newFifo();
	const id = { MessageGroupId: 'g', MessageDeduplicationId: 'd' };
	const first = await queue.send('a', id);
	const again = await queue.send('other', id);
	assert.equal(again.MessageId, first.MessageId);
	const messages = await queue.receive(TEN);
	assert.deepEqual(bodies(messages), ['a']);
	await removeAll(queue, messages);
	await queue.send('a', { ...id, MessageGroupId: 'h' });
	assert.deepEqual(await queue.receive(TEN), []);
});

test('equal bodies are one message with content-based deduplication',
    async () => {
	const queue = await newFifo({ ContentBasedDeduplication: 'true' });
	await queue.send('a', { MessageGroupId: 'g' });
	await queue.send('a', { MessageGroupId: 'g', MessageAttributes: {
	    a: { DataType: 'String', StringValue: 'b' } } });
	await queue.send('b', { MessageGroupId: 'g' });
	await queue.send('a', { MessageGroupId: 'g',
	    MessageDeduplicationId: 'own' });
	assert.deepEqual(bodies(await queue.receive(TEN)), ['a', 'b', 'a']);
});

test('the deduplication ID of a body is its SHA-256', async () => {
	const queue = await newFifo({ ContentBasedDeduplication: 'true' });
	await queue.send('hello', { MessageGroupId: 'g' });
	const message = await queue.one({ AttributeNames: ['All'] });
	assert.equal(message.Attributes.MessageDeduplicationId,
	    '2cf24dba5fb0a30e26e83b2ac5b9e29e'
	    + '1b161e5c1fa7425e73043362938b9824');
});

test('the scope of a group lets other groups repeat an ID', async () => {
	const queue = await newFifo({ DeduplicationScope: 'messageGroup',
	    FifoThroughputLimit: 'perMessageGroupId' });
	for (const group of ['a', 'b', 'a'])
		await queue.send(group, { MessageGroupId: group,
		    MessageDeduplicationId: 'd' });
	assert.deepEqual(bodies(await queue.receive(TEN)).sort(), ['a', 'b']);
});

test('a FIFO queue wants a group', async () => {
	const queue = await newFifo({ ContentBasedDeduplication: 'true' });
	await fails(queue.send('a'), 'MissingParameter', /MessageGroupId/);
	await fails(queue.send('a', { MessageGroupId: '' }),
	    ['MissingParameter', VALUE], /MessageGroupId/);
});

test('a FIFO queue wants a deduplication ID or is content-based',
    async () => {
	const queue = await newFifo();
	await fails(queue.send('a', { MessageGroupId: 'g' }), VALUE,
	    /ContentBasedDeduplication.*MessageDeduplicationId/);
});

test('groups and deduplication IDs have 128 printable characters',
    async () => {
	const queue = await newFifo();
	const ids = (group, id) => queue.send('a',
	    { MessageGroupId: group, MessageDeduplicationId: id });
	const all = Array.from({ length: 94 },
	    (_, i) => String.fromCharCode(33 + i)).join('');
	await ids(all, all);
	await ids('g'.repeat(128), 'd'.repeat(128));
	for (const bad of ['x'.repeat(129), 'a b', 'ä', '\t']) {
		await fails(ids(bad, 'd'), VALUE, /MessageGroupId/);
		await fails(ids('g', bad), VALUE, /MessageDeduplicationId/);
	}
	const first = (await queue.receive({ AttributeNames: ['All'],
	    ...TEN })).map((m) => m.Attributes.MessageGroupId);
	assert.ok(first.includes(all));
});

test('a message of a FIFO queue has no delay of its own', async () => {
	const queue = await newFifo();
	await fails(queue.send('a', { MessageGroupId: 'g', DelaySeconds: 2,
	    MessageDeduplicationId: 'd' }), VALUE, /DelaySeconds/);
});

test('the delay of a FIFO queue holds for what is in it', async () => {
	const queue = await newFifo({ DelaySeconds: '900' });
	await fill(queue, 'g', 'a');
	await queue.waitCounts(0, 0, 1);
	await queue.set({ DelaySeconds: '0' });
	assert.equal((await queue.one()).Body, 'a');
});

test('a handle that ran out deletes nothing in a FIFO queue', async () => {
	const queue = await newFifo();
	await fill(queue, 'g', 'a');
	const message = await queue.one({ VisibilityTimeout: 1 });
	await queue.waitCounts(1, 0, 0);
	await fails(queue.remove(message), VALUE,
	    /ReceiptHandle.*expired/);
	assert.equal((await queue.one()).Body, 'a');
});

test('an attempt that is repeated gets the same messages', async () => {
	const queue = await newFifo();
	await fill(queue, 'g', '1', '2');
	await fill(queue, 'h', '3');
	const attempt = { ...TEN, ReceiveRequestAttemptId: 'try-1' };
	const first = await queue.receive(attempt);
	const again = await queue.receive(attempt);
	assert.ok(first.length > 0);
	assert.deepEqual(again.map((m) => [m.MessageId, m.ReceiptHandle]),
	    first.map((m) => [m.MessageId, m.ReceiptHandle]));
	assert.deepEqual(await queue.receive(
	    { ...TEN, ReceiveRequestAttemptId: 'try-2' }), []);
	await removeAll(queue, again);
	await queue.waitCounts(0, 0, 0);
});

test('an attempt is over once a message of it was deleted', async () => {
	const queue = await newFifo();
	await fill(queue, 'g', '1', '2');
	const attempt = { MaxNumberOfMessages: 1,
	    ReceiveRequestAttemptId: 'try' };
	const [first] = await queue.receive(attempt);
	await queue.remove(first);
	const next = await queue.receive(attempt);
	assert.ok(!bodies(next).includes('1'));
});

test('an attempt ID has up to 128 characters', async () => {
	const queue = await newFifo();
	await queue.receive({ ReceiveRequestAttemptId: 'a'.repeat(128) });
	for (const bad of ['a'.repeat(129), 'a b'])
		await fails(queue.receive({ ReceiveRequestAttemptId: bad }),
		    VALUE, /ReceiveRequestAttemptId/);
});

test('many groups are processed in order by many receivers', async () => {
	const queue = await newFifo();
	const groups = ['a', 'b', 'c', 'd', 'e'];
	for (const group of groups)
		await queue.call('SendMessageBatch', { Entries:
		    Array.from({ length: 8 }, (_, i) => ({ Id: `e${i}`,
			MessageBody: `${group}${i}`, MessageGroupId: group,
			MessageDeduplicationId: `${group}${i}` })) });
	const done = [];
	await Promise.all(groups.map(async () => {
		while (done.length < 40) {
			const messages = await queue.receive(
			    { MaxNumberOfMessages: 3, WaitTimeSeconds: 1 });
			for (const message of messages) {
				done.push(message.Body);
				await queue.remove(message);
			}
		}
	}));
	for (const group of groups)
		assert.deepEqual(done.filter((body) => body[0] === group),
		    Array.from({ length: 8 }, (_, i) => `${group}${i}`));
});
