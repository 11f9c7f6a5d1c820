// What the tests with the AWS SDK stand on: a client of the server that the
// environment names, queues of it, and the run of all tests, some at a time.
'use strict';

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const sdk = require('@aws-sdk/client-sqs');

const ENDPOINT = process.env.WQ_ENDPOINT;
const DEADLINE_MS = 30000;	// for anything that must happen
const AT_A_TIME = 12;		// most of them wait most of the time
const MIB = 1024 * 1024;

const tests = [];

function test(name, run)
{
	assert.ok(!names().includes(name), `twice: ${name}`);
	tests.push({ name, run });
}

function newClient(options = {})
{
	return new sdk.SQSClient({
		endpoint: ENDPOINT,
		region: 'us-east-1',
		credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
		maxAttempts: 1,
		...options,
	});
}

const client = newClient();

function call(action, input, by = client)
{
	return by.send(new sdk[action + 'Command'](input));
}

let queues = 0;

class Queue {
	constructor(name, url)
	{
		this.name = name;
		this.url = url;
		this.arn = `arn:aws:sqs:us-east-1:000000000000:${name}`;
	}

	call(action, input = {})
	{
		return call(action, { QueueUrl: this.url, ...input });
	}

	send(body, more = {})
	{
		return this.call('SendMessage', { MessageBody: body, ...more });
	}

	// What it gives now: an empty array where there is nothing.
	async receive(more = {})
	{
		const answer = await this.call('ReceiveMessage', more);
		return answer.Messages ?? [];
	}

	// The next message, also where it takes a while.
	async one(more = {})
	{
		const messages = await this.receive(
		    { WaitTimeSeconds: 20, ...more });
		assert.equal(messages.length, 1, 'a message was expected');
		return messages[0];
	}

	// Receive until there are so many, and give all of them.
	async take(count, more = {})
	{
		const all = [];
		await until(async () => {
			all.push(...await this.receive({
				MaxNumberOfMessages:
				    Math.min(10, count - all.length),
				WaitTimeSeconds: 1, ...more }));
			return all.length >= count;
		}, `${count} messages`);
		return all;
	}

	remove(message)
	{
		return this.call('DeleteMessage',
		    { ReceiptHandle: message.ReceiptHandle });
	}

	change(message, seconds)
	{
		return this.call('ChangeMessageVisibility', {
			ReceiptHandle: message.ReceiptHandle,
			VisibilityTimeout: seconds });
	}

	async get(...names)
	{
		const answer = await this.call('GetQueueAttributes',
		    { AttributeNames: names.length ? names : ['All'] });
		return answer.Attributes ?? {};
	}

	set(attributes)
	{
		return this.call('SetQueueAttributes',
		    { Attributes: attributes });
	}

	// Messages that are visible, in flight, delayed.
	async counts()
	{
		const all = await this.get();
		return ['', 'NotVisible', 'Delayed'].map((state) =>
		    Number(all['ApproximateNumberOfMessages' + state]));
	}

	async waitCounts(...wanted)
	{
		let last;
		await until(async () => {
			last = await this.counts();
			return String(last) === String(wanted);
		}, () => `counts ${wanted}, last ${last}`);
	}
}

function newName(end = '')
{
	queues += 1;
	return `queue-${queues}${end}`;
}

async function newQueue(attributes = {}, more = {})
{
	const name = newName(attributes.FifoQueue ? '.fifo' : '');
	const answer = await call('CreateQueue',
	    { QueueName: name, Attributes: attributes, ...more });
	return new Queue(name, answer.QueueUrl);
}

function newFifo(attributes = {})
{
	return newQueue({ FifoQueue: 'true', ...attributes });
}

// A queue whose dead letters go to another: both.
async function newPair(count = 1, attributes = {})
{
	const kind = attributes.FifoQueue ? { FifoQueue: 'true' } : {};
	const letters = await newQueue(kind);
	const queue = await newQueue({ ...attributes,
	    RedrivePolicy: redrive(letters, count) });
	return [queue, letters];
}

function redrive(letters, count)
{
	return JSON.stringify({ deadLetterTargetArn: letters.arn,
	    maxReceiveCount: count });
}

function sleep(ms)
{
	return new Promise((resolve) => setTimeout(resolve, ms));
}

async function until(condition, what = 'the condition')
{
	const end = Date.now() + DEADLINE_MS;
	for (;;) {
		const value = await condition();
		if (value)
			return value;
		if (Date.now() >= end)
			assert.fail('waited for '
			    + (typeof what === 'function' ? what() : what));
		await sleep(10);
	}
}

// What an error is called in Query where that differs from its name.
const LONG = 'AWS.SimpleQueueService.';
const CODES = {
	BatchEntryIdsNotDistinct: LONG + 'BatchEntryIdsNotDistinct',
	BatchRequestTooLong: LONG + 'BatchRequestTooLong',
	EmptyBatchRequest: LONG + 'EmptyBatchRequest',
	InvalidBatchEntryId: LONG + 'InvalidBatchEntryId',
	MessageNotInflight: LONG + 'MessageNotInflight',
	QueueDoesNotExist: LONG + 'NonExistentQueue',
	QueueNameExists: 'QueueAlreadyExists',
	TooManyEntriesInBatchRequest: LONG + 'TooManyEntriesInBatchRequest',
	UnsupportedOperation: LONG + 'UnsupportedOperation',
};
const STATUSES = { OverLimit: 403, ResourceNotFoundException: 404 };

// The call fails with that error: its name, its code in Query, its status,
// and a message that says what is meant.
async function fails(promise, kind, message = /./)
{
	let error;
	try {
		const answer = await promise;
		assert.fail(`${kind} was expected, not `
		    + JSON.stringify(answer));
	} catch (caught) {
		if (caught instanceof assert.AssertionError)
			throw caught;
		error = caught;
	}
	const kinds = [kind].flat();
	const found = kinds.includes(error.name) ? error.name : kinds[0];
	assert.deepEqual(
	    [error.name, error.Code, error.$metadata?.httpStatusCode],
	    [found, CODES[found] ?? found, STATUSES[found] ?? 400],
	    `${error.name}: ${error.message}`);
	assert.equal(error.Error?.Type, 'Sender');
	assert.match(error.message, message);
	assert.ok(error.$metadata.requestId, 'a request ID');
	return error;
}

function md5(data)
{
	return crypto.createHash('md5').update(data).digest('hex');
}

// The digest of message attributes as the developer guide describes it.
function md5Attributes(attributes)
{
	const parts = [];
	const add = (data) => {
		const bytes = Buffer.from(data);
		const size = Buffer.alloc(4);
		size.writeUInt32BE(bytes.length);
		parts.push(size, bytes);
	};
	for (const name of Object.keys(attributes).sort()) {
		const { DataType, StringValue, BinaryValue } =
		    attributes[name];
		const isBinary = DataType.split('.')[0] === 'Binary';
		add(name);
		add(DataType);
		parts.push(Buffer.from([isBinary ? 2 : 1]));
		add(isBinary ? BinaryValue : StringValue);
	}
	return md5(Buffer.concat(parts));
}

function bodies(messages)
{
	return messages.map((message) => message.Body);
}

async function run({ name, run })
{
	const began = Date.now();
	let trouble = null;
	let timer;
	const late = new Promise((resolve, reject) => {
		timer = setTimeout(() => reject(new Error('it hangs')),
		    3 * DEADLINE_MS);
	});
	try {
		await Promise.race([run(), late]);
	} catch (error) {
		trouble = error.stack ?? String(error);
	}
	clearTimeout(timer);
	console.log(JSON.stringify(
	    { name, ms: Date.now() - began, trouble }));
}

function names()
{
	return tests.map((test) => test.name);
}

async function runAll(parts)
{
	const left = tests.filter(({ name }) => parts.length === 0
	    || parts.some((part) => name.includes(part)));
	await Promise.all(Array.from({ length: AT_A_TIME }, async () => {
		while (left.length > 0)
			await run(left.shift());
	}));
	// What a test left behind must not keep the process.
	process.exit(0);
}

module.exports = { ENDPOINT, MIB, Queue, assert, bodies, call, client, fails,
    md5, md5Attributes, names, newClient, newFifo, newName, newPair,
    newQueue, redrive, runAll, sdk, sleep, test, until };
