// ReceiveMessage, receipt handles, visibility.
'use strict';

const { ENDPOINT, assert, bodies, client, fails, md5Attributes, newFifo,
    newQueue, sdk, sleep, test, until } = require('../kit');

const VALUE = 'InvalidParameterValue';

function text(value)
{
	return { DataType: 'String', StringValue: value };
}

async function fill(queue, count)
{
	for (let i = 0; i < count; i++)
		await queue.send(String(i));
}

test('an empty queue gives no list of messages', async () => {
	const queue = await newQueue();
	const answer = await queue.call('ReceiveMessage');
	assert.equal(answer.Messages, undefined);
});

test('ReceiveMessage gives one message where no number is named', async () => {
	const queue = await newQueue();
	await fill(queue, 3);
	assert.equal((await queue.receive()).length, 1);
	assert.deepEqual(await queue.counts(), [2, 1, 0]);
});

test('ReceiveMessage gives up to ten, each once', async () => {
	const queue = await newQueue();
	await fill(queue, 12);
	const first = await queue.receive({ MaxNumberOfMessages: 10 });
	const rest = await queue.receive({ MaxNumberOfMessages: 10 });
	assert.deepEqual([first.length, rest.length], [10, 2]);
	assert.equal(new Set(bodies([...first, ...rest])).size, 12);
	assert.deepEqual(await queue.receive(), []);
});

test('numbers out of their range are InvalidParameterValue', async () => {
	const queue = await newQueue();
	for (const [name, bad] of [['MaxNumberOfMessages', [0, 11, -1]],
	    ['WaitTimeSeconds', [-1, 21]],
	    ['VisibilityTimeout', [-1, 43201]]])
		for (const value of bad)
			await fails(queue.receive({ [name]: value }), VALUE,
			    new RegExp(`${value}.*${name}|${name}`));
});

test('a long poll gets what is sent meanwhile', async () => {
	const queue = await newQueue();
	const waiting = queue.one({ WaitTimeSeconds: 20 });
	await sleep(100);
	await queue.send('a');
	assert.equal((await waiting).Body, 'a');
});

test('a long poll that nothing is sent to ends empty', async () => {
	const queue = await newQueue();
	const began = Date.now();
	assert.deepEqual(await queue.receive({ WaitTimeSeconds: 1 }), []);
	assert.ok(Date.now() - began >= 990);
});

test('the wait of the queue holds where the request has none', async () => {
	const queue = await newQueue({ ReceiveMessageWaitTimeSeconds: '20' });
	const waiting = queue.receive();
	await sleep(100);
	await queue.send('a');
	assert.deepEqual(bodies(await waiting), ['a']);
	assert.deepEqual(await queue.receive({ WaitTimeSeconds: 0 }), []);
});

test('many long polls share what comes, nothing comes twice', async () => {
	const queue = await newQueue();
	const polls = Array.from({ length: 8 }, () =>
	    queue.receive({ WaitTimeSeconds: 20 }));
	await sleep(100);
	await fill(queue, 8);
	const all = (await Promise.all(polls)).flat();
	assert.equal(new Set(bodies(all)).size, 8);
});

test('a client that leaves its long poll takes nothing along', async () => {
	const queue = await newQueue();
	const leaving = new AbortController();
	const poll = client.send(new sdk.ReceiveMessageCommand(
	    { QueueUrl: queue.url, WaitTimeSeconds: 20 }),
	    { abortSignal: leaving.signal });
	await sleep(100);
	leaving.abort();
	await assert.rejects(poll);
	await queue.send('a');
	assert.equal((await queue.one()).Body, 'a');
});

const NAMED = { General: text('Kenobi'), Hello: text('There'),
    'Help.Me': text('Me') };

for (const [names, wanted] of [
	[[], []],
	[['All'], ['General', 'Hello', 'Help.Me']],
	[['.*'], ['General', 'Hello', 'Help.Me']],
	[['Foo', 'Help'], []],
	[['Hello', 'General'], ['General', 'Hello']],
	[['Hello', 'Foo'], ['Hello']],
	[['Hel.*'], ['Hello', 'Help.Me']],
	[['Help.*', 'Hello'], ['Hello', 'Help.Me']],
	[['AWS.', '..foo'], []],
])
	test(`the filter [${names}] gives [${wanted}]`, async () => {
		const queue = await newQueue();
		await queue.send('a', { MessageAttributes: NAMED });
		const message = await queue.one(
		    { MessageAttributeNames: names });
		const given = Object.keys(message.MessageAttributes ?? {});
		assert.deepEqual(given.sort(), wanted);
		assert.equal(message.MD5OfMessageAttributes,
		    wanted.length === 0 ? undefined : md5Attributes(
			Object.fromEntries(wanted.map(
			    (name) => [name, NAMED[name]]))));
	});

for (const member of ['AttributeNames', 'MessageSystemAttributeNames']) {
	test(`${member} names the system attributes`, async () => {
		const queue = await newQueue({ VisibilityTimeout: '0' });
		await queue.send('a');
		const given = async (names) => (await queue.one(
		    { [member]: names })).Attributes;
		assert.equal(await given([]), undefined);
		const all = await given(['All']);
		assert.deepEqual(Object.keys(all).sort(), [
		    'ApproximateFirstReceiveTimestamp',
		    'ApproximateReceiveCount', 'SenderId', 'SentTimestamp']);
		assert.deepEqual(await given(['SenderId']),
		    { SenderId: '000000000000' });
		assert.deepEqual(Object.keys(await given(
		    ['SentTimestamp', 'ApproximateReceiveCount'])).sort(),
		    ['ApproximateReceiveCount', 'SentTimestamp']);
	});
}

test('times are milliseconds, the first receive stays the first', async () => {
	const queue = await newQueue({ VisibilityTimeout: '0' });
	const before = Date.now();
	await queue.send('a');
	const after = Date.now();
	await sleep(20);
	const times = async () => {
		const { Attributes } = await queue.one(
		    { AttributeNames: ['All'] });
		return [Attributes.SentTimestamp,
		    Attributes.ApproximateFirstReceiveTimestamp,
		    Attributes.ApproximateReceiveCount].map(Number);
	};
	const [sent, first, count] = await times();
	assert.ok(before - 1 <= sent && sent <= after + 1);
	assert.ok(sent + 15 <= first && first <= Date.now() + 1);
	assert.equal(count, 1);
	await sleep(20);
	assert.deepEqual(await times(), [sent, first, 2]);
	assert.deepEqual(await times(), [sent, first, 3]);
});

test('a message comes again when its timeout has run out', async () => {
	const queue = await newQueue({ VisibilityTimeout: '1' });
	const sent = await queue.send('a');
	const began = Date.now();
	const first = await queue.one();
	assert.deepEqual(await queue.receive(), []);
	const again = await queue.one();
	assert.ok(Date.now() - began >= 990);
	assert.equal(again.MessageId, sent.MessageId);
	assert.notEqual(again.ReceiptHandle, first.ReceiptHandle);
});

test('the timeout of a request holds for its messages', async () => {
	const queue = await newQueue({ VisibilityTimeout: '0' });
	await queue.send('a');
	await queue.one({ VisibilityTimeout: 43200 });
	assert.deepEqual(await queue.counts(), [0, 1, 0]);
});

test('a deleted message does not come again', async () => {
	const queue = await newQueue({ VisibilityTimeout: '1' });
	await queue.send('a');
	const message = await queue.one();
	await queue.remove(message);
	await queue.waitCounts(0, 0, 0);
	await queue.remove(message);	// again, as a retry would
	assert.deepEqual(await queue.receive({ WaitTimeSeconds: 1 }), []);
});

test('a message may be deleted after its timeout', async () => {
	const queue = await newQueue({ VisibilityTimeout: '0' });
	await queue.send('a');
	await queue.remove(await queue.one());
	await queue.waitCounts(0, 0, 0);
});

test('an old handle deletes nothing once the message came again', async () => {
	const queue = await newQueue();
	await queue.send('a');
	const old = await queue.one({ VisibilityTimeout: 0 });
	const last = await queue.one();
	await queue.remove(old);
	assert.deepEqual(await queue.counts(), [0, 1, 0]);
	await queue.remove(last);
	await queue.waitCounts(0, 0, 0);
});

test('what is no receipt handle is ReceiptHandleIsInvalid', async () => {
	const queue = await newQueue();
	await queue.send('a');
	const { ReceiptHandle } = await queue.one();
	const middle = ReceiptHandle.length >> 1;
	const other = ReceiptHandle[middle] === 'A' ? 'B' : 'A';
	for (const bad of ['garbage', 'AAAA', ReceiptHandle.slice(0, -8),
	    ReceiptHandle.slice(0, middle) + other +
	    ReceiptHandle.slice(middle + 1), '<&>"']) {
		await fails(queue.remove({ ReceiptHandle: bad }),
		    'ReceiptHandleIsInvalid');
		await fails(queue.change({ ReceiptHandle: bad }, 1),
		    'ReceiptHandleIsInvalid');
	}
	for (const action of ['DeleteMessage', 'ChangeMessageVisibility'])
		await fails(queue.call(action, { VisibilityTimeout: 1 }),
		    'MissingParameter', /ReceiptHandle/);
	assert.deepEqual(await queue.counts(), [0, 1, 0]);
});

test('a handle is bound to its queue', async () => {
	const queue = await newQueue();
	const other = await newQueue();
	await queue.send('a');
	const message = await queue.one();
	await fails(other.remove(message), ['ReceiptHandleIsInvalid', VALUE]);
	await fails(other.change(message, 1),
	    ['ReceiptHandleIsInvalid', VALUE]);
	assert.deepEqual(await queue.counts(), [0, 1, 0]);
});

test('a visibility of 0 gives the message back at once', async () => {
	const queue = await newQueue();
	await queue.send('a');
	const first = await queue.one();
	await queue.change(first, 0);
	const again = await queue.one({ AttributeNames: ['All'],
	    WaitTimeSeconds: 0 });
	assert.equal(again.Attributes.ApproximateReceiveCount, '2');
});

test('a waiting receiver gets what is given back', async () => {
	const queue = await newQueue();
	await queue.send('a');
	const first = await queue.one();
	const waiting = queue.one();
	await sleep(50);
	await queue.change(first, 0);
	assert.equal((await waiting).MessageId, first.MessageId);
});

test('a visibility may be made shorter and longer', async () => {
	const queue = await newQueue({ VisibilityTimeout: '600' });
	await queue.send('a');
	const message = await queue.one();
	await queue.change(message, 40000);
	const began = Date.now();
	await queue.change(message, 1);
	assert.equal((await queue.one()).MessageId, message.MessageId);
	assert.ok(Date.now() - began >= 990);
});

test('another visibility is forgotten at the next receive', async () => {
	const queue = await newQueue({ VisibilityTimeout: '1' });
	await queue.send('a');
	const message = await queue.one();
	await queue.change(message, 600);
	await queue.change(message, 0);
	await queue.one();
	await queue.one();		// after the second of the queue
});

test('a visibility beyond 12 hours is InvalidParameterValue', async () => {
	const queue = await newQueue();
	await queue.send('a');
	const message = await queue.one();
	for (const bad of [-1, 43201, 2147483647])
		await fails(queue.change(message, bad), VALUE,
		    /VisibilityTimeout/);
	await fails(queue.call('ChangeMessageVisibility',
	    { ReceiptHandle: message.ReceiptHandle }), 'MissingParameter',
	    /VisibilityTimeout/);
	await until(async () => {
		await sleep(20);
		try {
			await queue.change(message, 43200);
		} catch (error) {
			return error.Code === VALUE &&
			    /12 hours|43200/.test(error.message);
		}
	}, 'the total to be beyond 12 hours');
	assert.deepEqual(await queue.counts(), [0, 1, 0]);
});

test('a message that is not in flight is MessageNotInflight', async () => {
	const queue = await newQueue();
	await queue.send('a');
	const message = await queue.one();
	await queue.change(message, 0);
	await fails(queue.change(message, 10), 'MessageNotInflight');
});

test('the visibility of a deleted message cannot be changed', async () => {
	const queue = await newQueue();
	await queue.send('a');
	const message = await queue.one();
	await queue.remove(message);
	await fails(queue.change(message, 10), VALUE,
	    /ReceiptHandle.*(does not exist|not available)/);
});

test('messages older than the retention are gone', async () => {
	// Natively it is in milliseconds, which no test can wait for else.
	const queue = await newQueue();
	const path = `${ENDPOINT}/queues/${queue.name}`;
	await fetch(`${path}?ttl=200`, { method: 'POST', body: '1' });
	await queue.waitCounts(0, 0, 0);
});

test('at the limit in flight a short poll is OverLimit, a long one empty',
    async () => {
	const queue = await newQueue();
	const answer = await fetch(`${ENDPOINT}/queues/${queue.name}`,
	    { method: 'PUT', body: '{"maxLocked": 2}' });
	assert.equal(answer.status, 200);
	await fill(queue, 3);
	assert.equal((await queue.receive(
	    { MaxNumberOfMessages: 10 })).length, 2);
	await fails(queue.receive(), 'OverLimit');
	assert.deepEqual(await queue.receive({ WaitTimeSeconds: 1 }), []);
});

test('at the limit in flight a FIFO queue gives nothing, and no error',
    async () => {
	const queue = await newFifo({ ContentBasedDeduplication: 'true' });
	await fetch(`${ENDPOINT}/queues/${queue.name}`,
	    { method: 'PUT', body: '{"maxLocked": 1}' });
	for (const MessageGroupId of ['g', 'h'])
		await queue.send(MessageGroupId, { MessageGroupId });
	const message = await queue.one();
	assert.deepEqual(await queue.receive(), []);
	await queue.remove(message);
	await queue.one();
});

test('a tenant with much in flight does not hold up the others', async () => {
	const queue = await newQueue();
	const noisy = Array.from({ length: 10 }, (_, i) =>
	    ({ Id: 'e' + i, MessageBody: 'noisy', MessageGroupId: 'noisy' }));
	for (let i = 0; i < 8; i++)
		await queue.call('SendMessageBatch', { Entries: noisy });
	await queue.take(40);
	await queue.send('quiet', { MessageGroupId: 'quiet' });
	assert.equal((await queue.one()).Body, 'quiet');
	assert.equal((await queue.one()).Body, 'noisy');
});
