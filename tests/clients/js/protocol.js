// Requests that no SDK makes by itself, missing parameters, endpoints.
'use strict';

const { ENDPOINT, assert, call, fails, newClient, newName, newQueue, sdk,
    test } = require('../kit');

const TYPE = 'application/x-amz-json-1.0';

// The status, headers and JSON that the action answers a body with.
async function raw(action, body, headers = {})
{
	const answer = await fetch(ENDPOINT + '/', { method: 'POST',
	    headers: { 'Content-Type': TYPE,
		'X-Amz-Target': `AmazonSQS.${action}`, ...headers },
	    body: typeof body === 'string' ? body : JSON.stringify(body) });
	const text = await answer.text();
	assert.ok(answer.headers.get('x-amzn-requestid'));
	assert.match(answer.headers.get('content-type'),
	    /^application\/x-amz-json-1\.0/);
	return [answer.status, text ? JSON.parse(text) : {}, answer.headers];
}

async function refused(action, body, type)
{
	const [status, json, headers] = await raw(action, body);
	assert.equal(status, 400);
	assert.match(json.__type, type);
	assert.ok(json.message);
	assert.match(headers.get('x-amzn-query-error') ?? ';Sender',
	    /;Sender$/);
}

test('an unknown action is UnknownOperationException', async () => {
	await refused('Dance', {}, /UnknownOperationException$/);
	await refused('', {}, /UnknownOperationException$/);
});

test('malformed JSON is SerializationException', async () => {
	for (const bad of ['{', '[]', '"a"', '{"QueueName": }', '{} {}',
	    '{"QueueName": "\u0001"}'])
		await refused('CreateQueue', bad, /SerializationException$/);
});

test('values of wrong types are SerializationException', async () => {
	const { url } = await newQueue();
	for (const [action, body] of [
		['CreateQueue', { QueueName: 1 }],
		['CreateQueue', { QueueName: 'a', Attributes: [] }],
		['CreateQueue', { QueueName: 'a', Attributes: 'DelaySeconds' }],
		['ReceiveMessage', { QueueUrl: url, MaxNumberOfMessages: [] }],
		['ReceiveMessage', { QueueUrl: url, AttributeNames: 'All' }],
		['ReceiveMessage', { QueueUrl: url, AttributeNames: [{}] }],
		['SendMessage', { QueueUrl: url, MessageBody: { a: 1 } }],
		['SendMessage', { QueueUrl: url, MessageBody: 'a',
		    MessageAttributes: { a: 'b' } }],
		['SendMessageBatch', { QueueUrl: url, Entries: {} }],
		['SendMessageBatch', { QueueUrl: url, Entries: ['a'] }],
		['TagQueue', { QueueUrl: url, Tags: { a: {} } }],
	])
		await refused(action, body, /SerializationException$/);
});

test('null is as good as nothing', async () => {
	const { url } = await newQueue();
	const [status] = await raw('ReceiveMessage',
	    { QueueUrl: url, WaitTimeSeconds: null, AttributeNames: null });
	assert.equal(status, 200);
});

test('an unknown member is no error', async () => {
	const { url } = await newQueue();
	const [status] = await raw('SendMessage',
	    { QueueUrl: url, MessageBody: 'a', Colour: 'red' });
	assert.equal(status, 200);
});

test('an error names its shape and its code in Query', async () => {
	const [status, json, headers] = await raw('GetQueueUrl',
	    { QueueName: newName('-absent') });
	assert.equal(status, 400);
	assert.equal(json.__type, 'com.amazonaws.sqs#QueueDoesNotExist');
	assert.equal(headers.get('x-amzn-query-error'),
	    'AWS.SimpleQueueService.NonExistentQueue;Sender');
});

test('errors that the model has not are of the types that SQS gives',
    async () => {
	const { url } = await newQueue();
	for (const [action, body, type, code] of [
		['GetQueueUrl', {}, 'MissingRequiredParameterException',
		    'MissingParameter'],
		['ReceiveMessage', { QueueUrl: url, WaitTimeSeconds: 21 },
		    'InvalidParameterValueException', 'InvalidParameterValue'],
	]) {
		const [status, json, headers] = await raw(action, body);
		assert.equal(status, 400);
		assert.equal(json.__type.split('#')[1], type);
		assert.equal(headers.get('x-amzn-query-error'),
		    `${code};Sender`);
	}
});

const QUEUE = 'QueueUrl';
for (const [action, ...needed] of [
	['AddPermission', QUEUE, 'Label', 'AWSAccountIds', 'Actions'],
	['CancelMessageMoveTask', 'TaskHandle'],
	['ChangeMessageVisibility', QUEUE, 'ReceiptHandle',
	    'VisibilityTimeout'],
	['ChangeMessageVisibilityBatch', QUEUE],
	['CreateQueue', 'QueueName'],
	['DeleteMessage', QUEUE, 'ReceiptHandle'],
	['DeleteMessageBatch', QUEUE],
	['DeleteQueue', QUEUE],
	['GetQueueAttributes', QUEUE],
	['GetQueueUrl', 'QueueName'],
	['ListDeadLetterSourceQueues', QUEUE],
	['ListMessageMoveTasks', 'SourceArn'],
	['ListQueueTags', QUEUE],
	['PurgeQueue', QUEUE],
	['ReceiveMessage', QUEUE],
	['RemovePermission', QUEUE, 'Label'],
	['SendMessage', QUEUE, 'MessageBody'],
	['SendMessageBatch', QUEUE],
	['SetQueueAttributes', QUEUE, 'Attributes'],
	['StartMessageMoveTask', 'SourceArn'],
	['TagQueue', QUEUE, 'Tags'],
	['UntagQueue', QUEUE, 'TagKeys'],
])
	test(`${action} wants ${needed.join(', ')}`, async () => {
		const queue = await newQueue();
		const all = { Actions: ['SendMessage'], Attributes: {},
		    AWSAccountIds: ['123456789012'], Entries: [], Label: 'a',
		    MessageBody: 'a', QueueName: newName(),
		    QueueUrl: queue.url, ReceiptHandle: 'a', SourceArn: 'a',
		    TagKeys: ['a'], Tags: { a: 'b' }, TaskHandle: 'a',
		    VisibilityTimeout: 1 };
		for (const absent of needed)
			await fails(call(action, { ...all,
			    [absent]: undefined }), 'MissingParameter',
			    new RegExp(absent));
	});

test('URLs of queues are of the host that was asked', async () => {
	const { name } = await newQueue();
	const port = new URL(ENDPOINT).port;
	for (const host of ['127.0.0.1', 'localhost']) {
		const endpoint = `http://${host}:${port}`;
		const client = newClient({ endpoint });
		const { QueueUrl } = await call('GetQueueUrl',
		    { QueueName: name }, client);
		assert.equal(QueueUrl, `${endpoint}/000000000000/${name}`);
		const { QueueUrls } = await call('ListQueues', {}, client);
		assert.ok(QueueUrls.includes(QueueUrl));
	}
});

test('without an endpoint the SDK goes to the URL of the queue', async () => {
	const queue = await newQueue();
	const silent = { debug() {}, info() {}, warn() {}, error() {} };
	const client = new sdk.SQSClient({ region: 'us-east-1', maxAttempts: 1,
	    credentials: { accessKeyId: 'k', secretAccessKey: 's' },
	    logger: silent });
	await call('SendMessage', { QueueUrl: queue.url, MessageBody: 'a' },
	    client);
	assert.equal((await queue.one()).Body, 'a');
});

test('any region and any credentials will do', async () => {
	const queue = await newQueue();
	const client = newClient({ region: 'eu-central-1',
	    credentials: { accessKeyId: 'x', secretAccessKey: 'y',
		sessionToken: 'z' } });
	await call('SendMessage', { QueueUrl: queue.url, MessageBody: 'a' },
	    client);
	assert.equal((await queue.one()).Body, 'a');
});
