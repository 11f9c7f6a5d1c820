// Queues: make, find, list, purge, delete, tag, permit.
'use strict';

const { ENDPOINT, Queue, assert, bodies, call, client, fails, newFifo, newName,
    newPair, newQueue, redrive, sdk, test } = require('../kit');

const NAME = 'InvalidParameterValue';

test('a new queue has a URL of the endpoint, account and name', async () => {
	const queue = await newQueue();
	assert.equal(queue.url, `${ENDPOINT}/000000000000/${queue.name}`);
	const found = await call('GetQueueUrl', { QueueName: queue.name });
	assert.equal(found.QueueUrl, queue.url);
	assert.ok(found.$metadata.requestId);
	assert.equal((await queue.get('QueueArn')).QueueArn, queue.arn);
});

test('a queue of a given owner is found', async () => {
	const queue = await newQueue();
	const found = await call('GetQueueUrl', { QueueName: queue.name,
	    QueueOwnerAWSAccountId: '000000000000' });
	assert.equal(found.QueueUrl, queue.url);
});

test('CreateQueue again with equal attributes gives the URL', async () => {
	const attributes = { VisibilityTimeout: '7', DelaySeconds: '1' };
	const queue = await newQueue(attributes);
	for (const again of [attributes, {}, { DelaySeconds: '1' }]) {
		const answer = await call('CreateQueue',
		    { QueueName: queue.name, Attributes: again });
		assert.equal(answer.QueueUrl, queue.url);
	}
	const bare = await call('CreateQueue', { QueueName: queue.name });
	assert.equal(bare.QueueUrl, queue.url);
	assert.equal((await queue.get()).VisibilityTimeout, '7');
});

test('CreateQueue with other attributes is QueueNameExists', async () => {
	const queue = await newQueue({ ReceiveMessageWaitTimeSeconds: '1',
	    DelaySeconds: '1' });
	const again = (attributes) => call('CreateQueue',
	    { QueueName: queue.name, Attributes: attributes });
	await fails(again({ DelaySeconds: '2' }), 'QueueNameExists',
	    /DelaySeconds/);
	await fails(again({ VisibilityTimeout: '31' }), 'QueueNameExists',
	    /VisibilityTimeout/);
	await queue.set({ DelaySeconds: '2' });
	await fails(again({ DelaySeconds: '1' }), 'QueueNameExists');
	assert.equal((await again({ DelaySeconds: '2' })).QueueUrl, queue.url);
});

test('CreateQueue with another redrive policy is QueueNameExists',
    async () => {
	const [queue, letters] = await newPair(3);
	const again = (count) => call('CreateQueue', { QueueName: queue.name,
	    Attributes: { RedrivePolicy: redrive(letters, count) } });
	assert.equal((await again(3)).QueueUrl, queue.url);
	await fails(again(4), 'QueueNameExists', /RedrivePolicy/);
});

test('CreateQueue of a FIFO queue with other deduplication is refused',
    async () => {
	const queue = await newFifo({ ContentBasedDeduplication: 'true' });
	await fails(call('CreateQueue', { QueueName: queue.name, Attributes: {
	    FifoQueue: 'true', ContentBasedDeduplication: 'false' } }),
	    'QueueNameExists', /ContentBasedDeduplication/);
});

test('names have 1 to 80 letters, digits, hyphens and underscores',
    async () => {
	const good = 'A-z_0'.padEnd(80, 'x');
	const answer = await call('CreateQueue', { QueueName: good });
	assert.match(answer.QueueUrl, /\/A-z_0x+$/);
	for (const bad of [good + 'x', '', 'a b', 'a.b', 'a/b', 'ä', 'a.fifo.'])
		await fails(call('CreateQueue', { QueueName: bad }),
		    bad === '' ? [NAME, 'MissingParameter'] : NAME);
});

test('the suffix of a FIFO queue counts to its 80 characters', async () => {
	const create = (size) => call('CreateQueue', {
	    QueueName: 'f'.repeat(size - 5) + '.fifo',
	    Attributes: { FifoQueue: 'true' } });
	await create(80);
	await fails(create(81), NAME);
});

test('FifoQueue and the suffix .fifo go together', async () => {
	await fails(call('CreateQueue', { QueueName: newName(),
	    Attributes: { FifoQueue: 'true' } }), NAME);
	await fails(call('CreateQueue', { QueueName: newName('.fifo') }),
	    NAME);
});

test('names are case-sensitive', async () => {
	await call('CreateQueue', { QueueName: 'Case' });
	await fails(call('GetQueueUrl', { QueueName: 'case' }),
	    'QueueDoesNotExist');
});

test('ListQueues lists by prefix', async () => {
	const prefix = newName('-prefix-');
	assert.equal((await call('ListQueues',
	    { QueueNamePrefix: prefix })).QueueUrls, undefined);
	const urls = [];
	for (const end of 'abc')
		urls.push((await call('CreateQueue',
		    { QueueName: prefix + end })).QueueUrl);
	const answer = await call('ListQueues', { QueueNamePrefix: prefix });
	assert.deepEqual(answer.QueueUrls.sort(), urls);
	assert.equal(answer.NextToken, undefined);
	const all = await call('ListQueues', {});
	assert.ok(urls.every((url) => all.QueueUrls.includes(url)));
});

test('ListQueues gives pages', async () => {
	const prefix = newName('-page-');
	const urls = [];
	for (let i = 0; i < 7; i++)
		urls.push((await call('CreateQueue',
		    { QueueName: prefix + i })).QueueUrl);
	const pages = [];
	for await (const page of sdk.paginateListQueues({ client, pageSize: 3 },
	    { QueueNamePrefix: prefix }))
		pages.push(page.QueueUrls ?? []);
	assert.deepEqual(pages.flat().sort(), urls);
	assert.deepEqual(pages.map((page) => page.length).slice(0, 2), [3, 3]);
});

test('ListQueues wants 1 to 1000 results', async () => {
	await call('ListQueues', { MaxResults: 1000 });
	for (const bad of [0, 1001, -1])
		await fails(call('ListQueues', { MaxResults: bad }), NAME);
});

test('every action on a queue that is not there says so', async () => {
	const queue = await newQueue();
	await queue.send('a');
	const { ReceiptHandle } = await queue.one();
	await queue.call('DeleteQueue');
	const QueueUrl = queue.url;
	const one = { Id: '1', ReceiptHandle };
	const calls = {
		AddPermission: { Label: 'a', AWSAccountIds: ['123456789012'],
		    Actions: ['SendMessage'] },
		ChangeMessageVisibility: { ReceiptHandle,
		    VisibilityTimeout: 1 },
		ChangeMessageVisibilityBatch: {
		    Entries: [{ ...one, VisibilityTimeout: 1 }] },
		DeleteMessage: { ReceiptHandle },
		DeleteMessageBatch: { Entries: [one] },
		GetQueueAttributes: { AttributeNames: ['All'] },
		ListDeadLetterSourceQueues: {},
		ListQueueTags: {},
		PurgeQueue: {},
		ReceiveMessage: {},
		RemovePermission: { Label: 'a' },
		SendMessage: { MessageBody: 'a' },
		SendMessageBatch: { Entries: [{ Id: '1', MessageBody: 'a' }] },
		SetQueueAttributes: { Attributes: { DelaySeconds: '1' } },
		TagQueue: { Tags: { a: 'b' } },
		UntagQueue: { TagKeys: ['a'] },
	};
	for (const [action, input] of Object.entries(calls))
		await fails(call(action, { QueueUrl, ...input }),
		    'QueueDoesNotExist');
	await fails(call('GetQueueUrl', { QueueName: newName() }),
	    'QueueDoesNotExist', /does not exist/);
});

test('a deleted queue is gone, its name is free at once', async () => {
	const queue = await newQueue({ DelaySeconds: '0' });
	await queue.send('old');
	await queue.call('DeleteQueue');
	await fails(queue.receive(), 'QueueDoesNotExist');
	await fails(call('GetQueueUrl', { QueueName: queue.name }),
	    'QueueDoesNotExist');
	await call('CreateQueue', { QueueName: queue.name,
	    Attributes: { VisibilityTimeout: '9' } });
	assert.deepEqual(await queue.receive(), []);
	assert.equal((await queue.get()).VisibilityTimeout, '9');
});

test('a receipt handle of a deleted queue does nothing in the new one',
    async () => {
	const queue = await newQueue();
	await queue.send('old');
	const message = await queue.one();
	await queue.call('DeleteQueue');
	await call('CreateQueue', { QueueName: queue.name });
	await queue.send('new');
	await queue.remove(message).catch(() => {});
	assert.equal((await queue.one()).Body, 'new');
});

test('PurgeQueue takes visible, locked and delayed messages', async () => {
	const queue = await newQueue();
	await queue.send('locked');
	await queue.one();
	await queue.send('visible');
	await queue.send('delayed', { DelaySeconds: 900 });
	assert.deepEqual(await queue.counts(), [1, 1, 1]);
	await queue.call('PurgeQueue');
	await queue.waitCounts(0, 0, 0);
	await queue.call('PurgeQueue');
	await queue.send('after');
	assert.equal((await queue.one()).Body, 'after');
});

test('tags come with the queue, change, and go', async () => {
	const queue = await newQueue({}, { tags: { one: '1', two: '2' } });
	const tags = async () => (await queue.call('ListQueueTags')).Tags ?? {};
	assert.deepEqual(await tags(), { one: '1', two: '2' });
	await queue.call('TagQueue', { Tags: { two: 'zwei', three: '' } });
	assert.deepEqual(await tags(), { one: '1', two: 'zwei', three: '' });
	await queue.call('UntagQueue', { TagKeys: ['one', 'none'] });
	assert.deepEqual(await tags(), { two: 'zwei', three: '' });
	await queue.call('UntagQueue', { TagKeys: ['two', 'three'] });
	assert.deepEqual(await tags(), {});
});

test('tags take 128 and 256 characters of any kind', async () => {
	const queue = await newQueue();
	const Tags = { ['k'.repeat(128)]: 'v'.repeat(256),
	    'a b:/=+@-_.': '<&">\\ü€😀' };
	await queue.call('TagQueue', { Tags });
	assert.deepEqual((await queue.call('ListQueueTags')).Tags, Tags);
});

test('a queue with tags is made again with the same tags', async () => {
	const queue = await newQueue({}, { tags: { a: 'b' } });
	const answer = await call('CreateQueue',
	    { QueueName: queue.name, tags: { a: 'b' } });
	assert.equal(answer.QueueUrl, queue.url);
});

function permit(queue, label, accounts, actions)
{
	return queue.call('AddPermission', { Label: label,
	    AWSAccountIds: accounts, Actions: actions });
}

async function policy(queue)
{
	const { Policy } = await queue.get('Policy');
	return Policy === undefined ? undefined : JSON.parse(Policy);
}

test('AddPermission writes the policy as SQS does', async () => {
	const queue = await newQueue();
	await permit(queue, 'label', ['111111111111'], ['ReceiveMessage']);
	assert.deepEqual(await policy(queue), {
		Version: '2008-10-17',
		Id: `${queue.arn}/SQSDefaultPolicy`,
		Statement: [{ Sid: 'label', Effect: 'Allow',
		    Principal: { AWS: 'arn:aws:iam::111111111111:root' },
		    Action: 'SQS:ReceiveMessage', Resource: queue.arn }],
	});
	await permit(queue, 'more', ['111111111111', '222222222222'],
	    ['SendMessage', '*']);
	const statement = (await policy(queue)).Statement[1];
	assert.deepEqual([statement.Sid, statement.Principal.AWS.sort(),
	    statement.Action.sort()], ['more',
	    ['arn:aws:iam::111111111111:root', 'arn:aws:iam::222222222222:root'],
	    ['SQS:*', 'SQS:SendMessage']]);
});

test('RemovePermission takes a statement, and the policy with the last',
    async () => {
	const queue = await newQueue();
	await permit(queue, 'one', ['111111111111'], ['SendMessage']);
	await permit(queue, 'two', ['111111111111'], ['SendMessage']);
	await queue.call('RemovePermission', { Label: 'one' });
	assert.deepEqual((await policy(queue)).Statement.map((s) => s.Sid),
	    ['two']);
	await queue.call('RemovePermission', { Label: 'two' });
	assert.equal(await policy(queue), undefined);
});

test('a label twice, an unknown label and an unknown action are refused',
    async () => {
	const queue = await newQueue();
	await permit(queue, 'one', ['111111111111'], ['SendMessage']);
	await fails(permit(queue, 'one', ['222222222222'], ['SendMessage']),
	    NAME, /Label.*[Aa]lready exists/);
	await fails(queue.call('RemovePermission', { Label: 'none' }),
	    NAME, /Label.*can't find label/);
	await fails(permit(queue, 'two', ['111111111111'], ['Dance']), NAME,
	    /Dance/);
});

test('more than seven actions in a permission are OverLimit', async () => {
	const queue = await newQueue();
	const actions = ['SendMessage', 'ReceiveMessage', 'DeleteMessage',
	    'ChangeMessageVisibility', 'GetQueueAttributes', 'GetQueueUrl',
	    'ListDeadLetterSourceQueues', 'PurgeQueue'];
	await permit(queue, 'seven', ['111111111111'], actions.slice(0, 7));
	await fails(permit(queue, 'eight', ['111111111111'], actions),
	    'OverLimit');
});

test('a request may name its queue by URL, path or name', async () => {
	const queue = await newQueue();
	const other = new URL(queue.url);
	other.hostname = 'sqs.us-east-1.example';
	for (const url of [queue.url, other.href, other.pathname]) {
		await new Queue(queue.name, url).send('a');
		assert.deepEqual(bodies([await queue.one()]), ['a']);
	}
});
