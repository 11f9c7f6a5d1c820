// One queue, two views: the native one and that of SQS.
'use strict';

const { ENDPOINT, assert, call, fails, md5, newFifo, newName, newPair,
    newQueue, Queue, test } = require('../kit');

async function native(method, path, body, headers)
{
	const answer = await fetch(ENDPOINT + path, { method, body, headers });
	const text = await answer.text();
	return [answer.status, text ? JSON.parse(text) : undefined];
}

function path(queue, rest = '')
{
	return `/queues/${queue.name}${rest}`;
}

const JSONS = ['{"b": 1,  "a": [1.0, 1e400, "\\u0000"]}', '"text"',
    '12345678901234567890', 'null', '[ ]', '"<&>\\n\\u00e4"'];

test('a native push is received as the text of its JSON', async () => {
	const queue = await newQueue();
	for (const text of JSONS) {
		const [status, { messageID }] = await native('POST',
		    path(queue), text);
		assert.equal(status, 201);
		const message = await queue.one({ AttributeNames: ['All'] });
		assert.deepEqual([message.Body, message.MD5OfBody,
		    message.MessageId], [text, md5(text), messageID]);
		assert.ok(message.Attributes.SentTimestamp);
		await queue.remove(message);
	}
});

test('JSON sent over SQS is that JSON natively', async () => {
	const queue = await newQueue();
	for (const text of JSONS) {
		await queue.send(text);
		const answer = await (await fetch(ENDPOINT + path(queue)))
		    .text();
		assert.ok(answer.includes(`"body":${text}`) ||
		    answer.includes(`"body": ${text}`), answer);
		const { id } = JSON.parse(answer.replaceAll('1e400', '1'))
		    .messages[0];
		assert.deepEqual(await native('PATCH', path(queue, `/${id}`)),
		    [204, undefined]);
	}
});

test('text sent over SQS is a JSON string natively', async () => {
	const queue = await newQueue();
	for (const text of ['plain', 'a "b" \\ <&>\n\t', '{"a": }', '€😀\u2028',
	    '1 2', ' ', '01']) {
		const { MessageId } = await queue.send(text);
		const [, { messages }] = await native('GET', path(queue));
		assert.deepEqual(messages, [{ id: MessageId, body: text }]);
		await native('PATCH', path(queue, `/${MessageId}`));
	}
});

test('a queue made natively is found and listed over SQS', async () => {
	const name = newName('-native');
	const [status] = await native('PUT', `/queues/${name}`,
	    '{"lockTimeout": 5000, "tags": {"a": "b"}}');
	assert.equal(status, 201);
	const { QueueUrl } = await call('GetQueueUrl', { QueueName: name });
	const queue = new Queue(name, QueueUrl);
	const all = await queue.get();
	assert.equal(all.VisibilityTimeout, '5');
	assert.equal(all.QueueArn, queue.arn);
	assert.deepEqual((await queue.call('ListQueueTags')).Tags, { a: 'b' });
	const { QueueUrls } = await call('ListQueues',
	    { QueueNamePrefix: name });
	assert.deepEqual(QueueUrls, [QueueUrl]);
});

test('seconds over SQS are milliseconds natively', async () => {
	const queue = await newQueue({ VisibilityTimeout: '7',
	    DelaySeconds: '3' });
	const settings = async () =>
	    (await native('GET', path(queue, '/info')))[1].settings;
	const { lockTimeout, delay } = await settings();
	assert.deepEqual([lockTimeout, delay], [7000, 3000]);
	await native('PUT', path(queue), '{"lockTimeout": 12000}');
	assert.equal((await queue.get()).VisibilityTimeout, '12');
	await queue.set({ DelaySeconds: '900' });
	assert.equal((await settings()).delay, 900000);
});

test('a queue made over SQS has its defaults, / keeps its own', async () => {
	const queue = await newQueue();
	const [, { settings }] = await native('GET', path(queue, '/info'));
	assert.deepEqual([settings.lockTimeout, settings.delay,
	    settings.maxLocked], [30000, 0, 120000]);
	const [, root] = await native('GET', '/info');
	assert.equal(root.settings.lockTimeout, 1000);
	const { QueueUrl } = await call('GetQueueUrl',
	    { QueueName: 'default' });
	const url = new Queue('default', QueueUrl);
	assert.equal((await url.get()).VisibilityTimeout, '1');
});

test('dead letters are set natively as over SQS', async () => {
	const [queue, letters] = await newPair(4);
	const [, { settings }] = await native('GET', path(queue, '/info'));
	assert.deepEqual([settings.maxReceives, settings.deadLetterQueue],
	    [4, letters.name]);
	await native('PUT', path(queue), '{"maxReceives": 6}');
	assert.deepEqual(JSON.parse((await queue.get()).RedrivePolicy),
	    { deadLetterTargetArn: letters.arn, maxReceiveCount: 6 });
});

test('a message locked natively is in flight over SQS', async () => {
	const queue = await newQueue();
	await queue.send('a');
	const [, { messages: [{ id }] }] = await native('GET', path(queue));
	assert.deepEqual(await queue.counts(), [0, 1, 0]);
	await native('PATCH', path(queue, `/${id}?timeout=0`));
	const message = await queue.one({ AttributeNames: ['All'] });
	assert.equal(message.MessageId, id);
	assert.equal(message.Attributes.ApproximateReceiveCount, '2');
	const [, look] = await native('GET', path(queue, `/${id}`));
	assert.deepEqual([look.state, look.receives], ['locked', 2]);
	await queue.remove(message);
	const [status] = await native('GET', path(queue, `/${id}`));
	assert.equal(status, 404);
});

test('groups and repeats are the same in both views', async () => {
	const queue = await newFifo();
	await native('POST', path(queue, '?group=g&dedup=d'), '1');
	await queue.send('1', { MessageGroupId: 'g',
	    MessageDeduplicationId: 'd' });
	await queue.send('2', { MessageGroupId: 'g',
	    MessageDeduplicationId: 'e' });
	const messages = await queue.receive({ MaxNumberOfMessages: 10,
	    AttributeNames: ['All'] });
	assert.deepEqual(messages.map((m) => [m.Body,
	    m.Attributes.MessageGroupId]), [['1', 'g'], ['2', 'g']]);
});

test('attributes survive a native look', async () => {
	const queue = await newQueue();
	const MessageAttributes = {
	    a: { DataType: 'String', StringValue: 'b' } };
	await queue.send('x', { MessageAttributes });
	await native('GET', path(queue, '?timeout=0'));
	const message = await queue.one({ MessageAttributeNames: ['All'] });
	assert.equal(message.MessageAttributes.a.StringValue, 'b');
});

test('a queue deleted natively is gone over SQS, and the other way round',
    async () => {
	const one = await newQueue();
	await native('DELETE', path(one));
	await fails(one.receive(), 'QueueDoesNotExist');
	const two = await newQueue();
	await two.call('DeleteQueue');
	const [status] = await native('GET', path(two, '/info'));
	assert.equal(status, 404);
});

test('POST / with JSON stays the native push, also as a form of curl',
    async () => {
	const type = 'application/x-www-form-urlencoded';
	for (const body of ['{"Action": "SendMessage"}', '"Action=a"']) {
		const [status, { messageID }] = await native('POST', '/', body,
		    { 'Content-Type': type });
		assert.equal(status, 201);
		const [, look] = await native('GET', `/${messageID}`);
		assert.deepEqual(look.body, JSON.parse(body));
		await native('GET', '/?amount=1000');
		await native('PATCH', `/${messageID}`);
	}
});
