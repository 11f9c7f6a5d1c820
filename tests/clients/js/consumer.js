// Workers as users write them, with sqs-consumer: messages fail and are tried
// again, and nothing is lost.
'use strict';

const { Consumer } = require('sqs-consumer');
const { assert, client, newFifo, newPair, newQueue, test, until } =
    require('../kit');

async function fill(queue, count, more = () => ({}))
{
	for (let first = 0; first < count; first += 10)
		await queue.call('SendMessageBatch', { Entries: Array.from(
		    { length: Math.min(10, count - first) }, (_, i) => ({
			Id: `e${i}`, MessageBody: String(first + i),
			...more(first + i) })) });
}

function numbers(count)
{
	return Array.from({ length: count }, (_, i) => i);
}

// Consumers with the options run until done(), then all stop.
async function consume(queue, how_many, options, done)
{
	const errors = [];
	const consumers = Array.from({ length: how_many }, () => {
		const consumer = Consumer.create({ queueUrl: queue.url,
		    sqs: client, waitTimeSeconds: 1, pollingWaitTimeMs: 0,
		    authenticationErrorTimeout: 100, ...options });
		consumer.on('error', (error) => {
			// Of the handler, or a heartbeat after the delete.
			if (!/not yet|is not available for visibility/.test(
			    `${error.message} ${error.cause?.message}`))
				errors.push(error);
		});
		consumer.on('processing_error', () => {});
		consumer.start();
		return consumer;
	});
	await until(done, 'the consumers to be done');
	for (const consumer of consumers)
		consumer.stop();
	await until(() => consumers.every((c) => !c.status.isPolling),
	    'the consumers to stop');
	assert.deepEqual(errors, []);
}

test('sqs-consumer processes 300 messages of which many fail at first',
    async () => {
	const queue = await newQueue({ VisibilityTimeout: '60' });
	const tries = new Map();
	const done = [];
	await fill(queue, 300);
	await consume(queue, 3, { batchSize: 10,
	    terminateVisibilityTimeout: true,
	    handleMessage: async (message) => {
		const { Body } = message;
		const nth = (tries.get(Body) ?? 0) + 1;
		tries.set(Body, nth);
		if (Body % 5 === 0 && nth <= Body % 3)
			throw new Error('not yet');
		done.push(Number(Body));
		return message;
	} }, async () => done.length >= 300);
	assert.deepEqual(done.sort((a, b) => a - b), numbers(300));
	await queue.waitCounts(0, 0, 0);
});

test('sqs-consumer that fails without a word gets its messages again',
    async () => {
	const queue = await newQueue({ VisibilityTimeout: '1' });
	const failed = new Set();
	const done = new Set();
	await fill(queue, 60);
	await consume(queue, 2, { batchSize: 10, visibilityTimeout: 1,
	    handleMessage: async (message) => {
		const { Body } = message;
		if (Body % 10 === 0 && !failed.has(Body)) {
			failed.add(Body);
			throw new Error('crash');
		}
		done.add(Body);
		return message;
	} }, async () => done.size === 60 &&
	    String(await queue.counts()) === '0,0,0');
	assert.equal(failed.size, 6);
});

test('sqs-consumer takes 200 messages in batches, and deletes batches',
    async () => {
	const queue = await newQueue();
	const done = [];
	let failed = 0;
	await fill(queue, 200, (i) => ({ MessageAttributes: {
	    i: { DataType: 'Number', StringValue: String(i) } } }));
	await consume(queue, 2, { batchSize: 10,
	    messageAttributeNames: ['All'], terminateVisibilityTimeout: true,
	    handleMessageBatch: async (messages) => {
		if (failed < 5) {
			failed += 1;
			throw new Error('not yet');
		}
		for (const { MessageAttributes } of messages)
			done.push(Number(MessageAttributes.i.StringValue));
		return messages;
	} }, async () => done.length >= 200);
	assert.deepEqual(done.sort((a, b) => a - b), numbers(200));
	await queue.waitCounts(0, 0, 0);
});

test('sqs-consumer holds a message by its heartbeat', async () => {
	const queue = await newQueue({ VisibilityTimeout: '2' });
	let receives = 0;
	await queue.send('slow');
	let done = false;
	await consume(queue, 2, { visibilityTimeout: 2, heartbeatInterval: 1,
	    handleMessage: async (message) => {
		receives += 1;
		await new Promise((resolve) => setTimeout(resolve, 2500));
		done = true;
		return message;
	} }, async () => done);
	assert.equal(receives, 1);
	await queue.waitCounts(0, 0, 0);
});

test('what sqs-consumer cannot process becomes a dead letter', async () => {
	const [queue, letters] = await newPair(3);
	const done = [];
	await fill(queue, 50);
	await consume(queue, 2, { batchSize: 10,
	    terminateVisibilityTimeout: true,
	    attributeNames: ['ApproximateReceiveCount'],
	    handleMessage: async (message) => {
		const { Body, Attributes } = message;
		assert.ok(Attributes.ApproximateReceiveCount <= 3);
		if (Body % 10 === 3)
			throw new Error('poison');
		done.push(Number(Body));
		return message;
	} }, async () => done.length === 45 &&
	    (await letters.counts())[0] === 5);
	const poison = await letters.take(5);
	assert.deepEqual(poison.map((m) => Number(m.Body)).sort(
	    (a, b) => a - b), [3, 13, 23, 33, 43]);
	await queue.waitCounts(0, 0, 0);
});

test('sqs-consumer processes groups of a FIFO queue in their order',
    async () => {
	const queue = await newFifo({ ContentBasedDeduplication: 'true' });
	const failed = new Set();
	const done = [];
	await fill(queue, 100, (i) => ({ MessageGroupId: `g${i % 10}` }));
	await consume(queue, 3, { batchSize: 1,
	    terminateVisibilityTimeout: true,
	    suppressFifoWarning: true,
	    handleMessage: async (message) => {
		const { Body } = message;
		if (Body % 7 === 0 && !failed.has(Body)) {
			failed.add(Body);
			throw new Error('not yet');
		}
		done.push(Number(Body));
		return message;
	} }, async () => done.length >= 100);
	for (let group = 0; group < 10; group++)
		assert.deepEqual(done.filter((i) => i % 10 === group),
		    numbers(10).map((i) => i * 10 + group));
	await queue.waitCounts(0, 0, 0);
});
