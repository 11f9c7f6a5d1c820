// The three batches.
'use strict';

const { MIB, assert, bodies, call, fails, md5, md5Attributes, newFifo,
    newQueue, test } = require('../kit');

const VALUE = 'InvalidParameterValue';

function some(count, more = {})
{
	return Array.from({ length: count }, (_, i) =>
	    ({ Id: `id-${i}`, MessageBody: `body ${i}`, ...more }));
}

function send(queue, entries)
{
	return queue.call('SendMessageBatch', { Entries: entries });
}

function ids(list)
{
	return (list ?? []).map((one) => one.Id).sort();
}

test('a batch of ten is sent', async () => {
	const queue = await newQueue();
	const answer = await send(queue, some(10));
	assert.equal(answer.Successful.length, 10);
	assert.deepEqual(answer.Failed ?? [], []);
	for (const { Id, MD5OfMessageBody } of answer.Successful)
		assert.equal(MD5OfMessageBody,
		    md5(Id.replace('id-', 'body ')));
	const all = await queue.take(10);
	assert.deepEqual(all.map((m) => m.MessageId).sort(),
	    answer.Successful.map((m) => m.MessageId).sort());
});

test('each entry has attributes, delay and trace header of its own',
    async () => {
	const queue = await newQueue();
	const attributes = { n: { DataType: 'Number', StringValue: '1' } };
	const trace = { AWSTraceHeader:
	    { DataType: 'String', StringValue: 'Root=1' } };
	const answer = await send(queue, [
		{ Id: 'a', MessageBody: 'a', MessageAttributes: attributes,
		    MessageSystemAttributes: trace },
		{ Id: 'b', MessageBody: 'b', DelaySeconds: 900 },
	]);
	const [a, b] = answer.Successful;
	assert.equal(a.MD5OfMessageAttributes, md5Attributes(attributes));
	assert.equal(a.MD5OfMessageSystemAttributes, md5Attributes(trace));
	assert.equal(b.MD5OfMessageAttributes, undefined);
	const message = await queue.one({ MessageAttributeNames: ['All'],
	    AttributeNames: ['All'] });
	assert.equal(message.Attributes.AWSTraceHeader, 'Root=1');
	assert.equal(message.MessageAttributes.n.StringValue, '1');
	assert.deepEqual(await queue.counts(), [0, 1, 1]);
});

test('what is wrong with an entry fails that entry alone', async () => {
	const queue = await newQueue({ MaximumMessageSize: '1024' });
	const answer = await send(queue, [
		{ Id: 'good', MessageBody: 'a' },
		{ Id: 'character', MessageBody: '\0' },
		{ Id: 'size', MessageBody: 'x'.repeat(1025) },
		{ Id: 'delay', MessageBody: 'a', DelaySeconds: 901 },
		{ Id: 'type', MessageBody: 'a', MessageAttributes: {
		    a: { DataType: 'None', StringValue: 'a' } } },
		{ Id: 'well', MessageBody: 'b' },
	]);
	assert.deepEqual(ids(answer.Successful), ['good', 'well']);
	assert.deepEqual(ids(answer.Failed),
	    ['character', 'delay', 'size', 'type']);
	for (const { Id, Code, Message, SenderFault } of answer.Failed) {
		assert.equal(Code, Id === 'character' ?
		    'InvalidMessageContents' : VALUE, Id);
		assert.ok(Message);
		assert.equal(SenderFault, true);
	}
	assert.deepEqual(bodies(await queue.take(2)).sort(), ['a', 'b']);
});

test('a batch has up to 1 MiB in all', async () => {
	const queue = await newQueue();
	const half = 'x'.repeat(MIB / 2);
	const entries = [{ Id: 'a', MessageBody: half },
	    { Id: 'b', MessageBody: half }];
	assert.equal((await send(queue, entries)).Successful.length, 2);
	entries[1].MessageBody += 'x';
	await fails(send(queue, entries), 'BatchRequestTooLong', /1048576/);
	assert.deepEqual(await queue.counts(), [2, 0, 0]);
});

test('attributes count to the size of a batch', async () => {
	const queue = await newQueue();
	const entries = [{ Id: 'a', MessageBody: 'x'.repeat(MIB / 2) },
	    { Id: 'b', MessageBody: 'x'.repeat(MIB / 2 - 10),
		MessageAttributes: { abcd:
		    { DataType: 'String', StringValue: 'e' } } }];
	await fails(send(queue, entries), 'BatchRequestTooLong');
});

const ENTRIES = {
	SendMessageBatch: { MessageBody: 'a' },
	DeleteMessageBatch: { ReceiptHandle: 'AAAA' },
	ChangeMessageVisibilityBatch: { ReceiptHandle: 'AAAA',
	    VisibilityTimeout: 1 },
};

for (const [action, entry] of Object.entries(ENTRIES)) {
	const with_ids = (...all) => ({ Entries: all.map(
	    (Id) => ({ Id, ...entry })) });

	test(`${action} wants 1 to 10 entries`, async () => {
		const queue = await newQueue();
		await fails(queue.call(action, with_ids()),
		    'EmptyBatchRequest');
		await fails(queue.call(action, with_ids(...Array.from(
		    { length: 11 }, (_, i) => 'i' + i))),
		    'TooManyEntriesInBatchRequest', /11/);
		await fails(queue.call(action), ['EmptyBatchRequest',
		    'MissingParameter']);
	});

	test(`${action} wants distinct IDs`, async () => {
		const queue = await newQueue();
		await fails(queue.call(action, with_ids('a', 'b', 'a')),
		    'BatchEntryIdsNotDistinct');
		await queue.call(action, with_ids('a', 'A'));
	});

	test(`${action} wants IDs of letters, digits, hyphens, underscores`,
	    async () => {
		const queue = await newQueue();
		await queue.call(action,
		    with_ids('a'.repeat(80), 'A-z_09'));
		for (const bad of ['', 'a'.repeat(81), 'a:b', 'a b', 'a.b',
		    'ä'])
			await fails(queue.call(action, with_ids(bad)),
			    'InvalidBatchEntryId');
	});

	test(`${action} wants a queue`, async () => {
		await fails(call(action, with_ids('a')), 'MissingParameter',
		    /QueueUrl/);
	});
}

test('a batch is deleted, what is wrong with an entry fails it alone',
    async () => {
	const queue = await newQueue();
	await send(queue, some(3));
	const [a, b, c] = await queue.take(3);
	const answer = await queue.call('DeleteMessageBatch', { Entries: [
		{ Id: 'a', ReceiptHandle: a.ReceiptHandle },
		{ Id: 'bad', ReceiptHandle: 'garbage' },
		{ Id: 'b', ReceiptHandle: b.ReceiptHandle },
		{ Id: 'again', ReceiptHandle: b.ReceiptHandle },
	] });
	assert.deepEqual(ids(answer.Successful), ['a', 'again', 'b']);
	assert.deepEqual(ids(answer.Failed), ['bad']);
	assert.equal(answer.Failed[0].Code, 'ReceiptHandleIsInvalid');
	assert.equal(answer.Failed[0].SenderFault, true);
	assert.deepEqual(await queue.counts(), [0, 1, 0]);
	await queue.remove(c);
});

test('a batch of visibilities is changed, a wrong entry fails alone',
    async () => {
	const queue = await newQueue();
	await send(queue, some(4));
	const [a, b, c, d] = await queue.take(4);
	await queue.remove(d);
	const entry = (Id, message, VisibilityTimeout) => ({ Id,
	    VisibilityTimeout, ReceiptHandle: message.ReceiptHandle });
	const answer = await queue.call('ChangeMessageVisibilityBatch',
	    { Entries: [entry('a', a, 0), entry('b', b, 43201),
		entry('c', c, 10), entry('d', d, 10),
		entry('bad', { ReceiptHandle: 'garbage' }, 1)] });
	assert.deepEqual(ids(answer.Successful), ['a', 'c']);
	const codes = Object.fromEntries(
	    answer.Failed.map(({ Id, Code }) => [Id, Code]));
	assert.deepEqual(codes, { b: VALUE, d: VALUE,
	    bad: 'ReceiptHandleIsInvalid' });
	assert.equal((await queue.one()).MessageId, a.MessageId);
});

test('a batch of visibilities names a message that is not in flight',
    async () => {
	const queue = await newQueue();
	await queue.send('a');
	const { ReceiptHandle } = await queue.one({ VisibilityTimeout: 0 });
	const answer = await queue.call('ChangeMessageVisibilityBatch',
	    { Entries: [{ Id: 'a', ReceiptHandle, VisibilityTimeout: 5 }] });
	assert.equal(answer.Failed[0].Code,
	    'AWS.SimpleQueueService.MessageNotInflight');
});

test('a batch to a FIFO queue keeps its order', async () => {
	const queue = await newFifo({ ContentBasedDeduplication: 'true' });
	const answer = await send(queue, some(10, { MessageGroupId: 'g' }));
	const numbers = answer.Successful.map((m) => BigInt(m.SequenceNumber));
	for (let i = 1; i < 10; i++)
		assert.ok(numbers[i - 1] < numbers[i]);
	const messages = await queue.receive({ MaxNumberOfMessages: 10 });
	assert.deepEqual(bodies(messages),
	    some(10).map((entry) => entry.MessageBody));
});

test('a batch without group or deduplication is refused by a FIFO queue',
    async () => {
	const queue = await newFifo();
	await fails(send(queue, some(2, { MessageGroupId: 'g' })), VALUE,
	    /ContentBasedDeduplication/);
	await fails(send(queue, some(2).map((entry) =>
	    ({ ...entry, MessageDeduplicationId: entry.Id }))),
	    [VALUE, 'MissingParameter'], /MessageGroupId/);
	assert.deepEqual(await queue.counts(), [0, 0, 0]);
});
