// What a queue is set to.
'use strict';

const { assert, call, fails, newFifo, newName, newPair, newQueue, redrive,
    sleep, test } = require('../kit');

const VALUE = 'InvalidParameterValue';
const RANGES = {
	DelaySeconds: [0, 900],
	KmsDataKeyReusePeriodSeconds: [60, 86400],
	MaximumMessageSize: [1024, 1048576],
	MessageRetentionPeriod: [60, 1209600],
	ReceiveMessageWaitTimeSeconds: [0, 20],
	VisibilityTimeout: [0, 43200],
};

function create(attributes, end = '')
{
	return call('CreateQueue',
	    { QueueName: newName(end), Attributes: attributes });
}

test('a standard queue has the defaults of SQS', async () => {
	const before = Math.floor(Date.now() / 1000) - 1;
	const queue = await newQueue();
	const { CreatedTimestamp, LastModifiedTimestamp, ...rest } =
	    await queue.get();
	const after = Math.ceil(Date.now() / 1000) + 1;
	assert.deepEqual(rest, {
		ApproximateNumberOfMessages: '0',
		ApproximateNumberOfMessagesDelayed: '0',
		ApproximateNumberOfMessagesNotVisible: '0',
		DelaySeconds: '0',
		MaximumMessageSize: '1048576',
		MessageRetentionPeriod: '345600',
		QueueArn: queue.arn,
		ReceiveMessageWaitTimeSeconds: '0',
		SqsManagedSseEnabled: 'true',
		VisibilityTimeout: '30',
	});
	for (const time of [CreatedTimestamp, LastModifiedTimestamp])
		assert.ok(before <= time && time <= after, time);
});

test('a FIFO queue has the defaults of SQS', async () => {
	const queue = await newFifo();
	const all = await queue.get();
	assert.deepEqual([all.FifoQueue, all.ContentBasedDeduplication,
	    all.DeduplicationScope, all.FifoThroughputLimit, all.QueueArn],
	    ['true', 'false', 'queue', 'perQueue', queue.arn]);
	assert.equal(Object.keys(all).length, 16);
});

for (const [name, [least, most]] of Object.entries(RANGES)) {
	test(`${name} goes from ${least} to ${most}`, async () => {
		const set = (value) => ({ [name]: String(value) });
		const queue = await newQueue(set(least));
		assert.equal((await queue.get(name))[name], String(least));
		await queue.set(set(most));
		assert.equal((await queue.get(name))[name], String(most));
		const bad = [least - 1, most + 1, 'x', '1.5', '1x',
		    '99999999999999999999'];
		for (const value of bad) {
			await fails(queue.set(set(value)),
			    'InvalidAttributeValue', new RegExp(name));
			await fails(create(set(value)),
			    'InvalidAttributeValue', new RegExp(name));
		}
		assert.equal((await queue.get(name))[name], String(most));
	});
}

test('GetQueueAttributes gives what is asked for', async () => {
	const queue = await newQueue();
	assert.deepEqual(await queue.get('QueueArn', 'DelaySeconds'),
	    { QueueArn: queue.arn, DelaySeconds: '0' });
	assert.deepEqual(await queue.get('Policy', 'RedrivePolicy'), {});
	const none = await queue.call('GetQueueAttributes');
	assert.deepEqual(none.Attributes ?? {}, {});
	assert.deepEqual(await queue.get('DelaySeconds', 'All'),
	    await queue.get());
});

test('unknown attributes are InvalidAttributeName', async () => {
	const queue = await newQueue();
	await fails(queue.get('Colour'), 'InvalidAttributeName');
	await fails(queue.set({ Colour: 'red' }), 'InvalidAttributeName',
	    /Colour/);
	await fails(create({ Colour: 'red' }), 'InvalidAttributeName');
});

test('what is counted cannot be set', async () => {
	const queue = await newQueue();
	for (const name of ['ApproximateNumberOfMessages', 'QueueArn',
	    'CreatedTimestamp', 'LastModifiedTimestamp'])
		await fails(queue.set({ [name]: '1' }),
		    'InvalidAttributeName', new RegExp(name));
});

test('SetQueueAttributes changes what is named and nothing else',
    async () => {
	const queue = await newQueue({ VisibilityTimeout: '20',
	    MessageRetentionPeriod: '604800' });
	await queue.set({ DelaySeconds: '420', MaximumMessageSize: '2048' });
	const all = await queue.get();
	assert.deepEqual([all.VisibilityTimeout, all.MessageRetentionPeriod,
	    all.DelaySeconds, all.MaximumMessageSize],
	    ['20', '604800', '420', '2048']);
	assert.ok(all.LastModifiedTimestamp >= all.CreatedTimestamp);
});

test('a change of attributes is remembered in seconds', async () => {
	const queue = await newQueue();
	const before = await queue.get();
	assert.equal(before.LastModifiedTimestamp, before.CreatedTimestamp);
	await sleep(1100);
	await queue.set({ DelaySeconds: '5' });
	const after = await queue.get();
	assert.equal(after.CreatedTimestamp, before.CreatedTimestamp);
	assert.ok(after.LastModifiedTimestamp > before.LastModifiedTimestamp);
});

test('a refused SetQueueAttributes changes nothing', async () => {
	const queue = await newQueue();
	await fails(queue.set({ DelaySeconds: '5', VisibilityTimeout: 'x' }),
	    'InvalidAttributeValue');
	await fails(queue.set({ DelaySeconds: '5', Colour: 'red' }),
	    'InvalidAttributeName');
	assert.equal((await queue.get()).DelaySeconds, '0');
});

test('the type of a queue cannot be changed', async () => {
	await fails((await newQueue()).set({ FifoQueue: 'true' }),
	    'InvalidAttributeName', /FifoQueue/);
	await fails((await newFifo()).set({ FifoQueue: 'false' }),
	    'InvalidAttributeValue', /FifoQueue/);
});

test('what only FIFO queues have is unknown to a standard queue', async () => {
	const queue = await newQueue();
	for (const [name, value] of [['ContentBasedDeduplication', 'true'],
	    ['DeduplicationScope', 'queue'],
	    ['FifoThroughputLimit', 'perQueue']]) {
		await fails(queue.set({ [name]: value }),
		    'InvalidAttributeName', new RegExp(name));
		await fails(create({ [name]: value }),
		    'InvalidAttributeName', new RegExp(name));
	}
});

test('a FIFO queue gives back how it deduplicates', async () => {
	const queue = await newFifo();
	const names = ['ContentBasedDeduplication', 'DeduplicationScope',
	    'FifoThroughputLimit'];
	for (const values of [['true', 'messageGroup', 'perMessageGroupId'],
	    ['false', 'queue', 'perQueue']]) {
		const wanted = Object.fromEntries(
		    names.map((name, i) => [name, values[i]]));
		await queue.set(wanted);
		assert.deepEqual(await queue.get(...names), wanted);
	}
	for (const name of names)
		await fails(queue.set({ [name]: 'maybe' }),
		    'InvalidAttributeValue', new RegExp(name));
});

test('a throughput limit for each group wants the scope of a group',
    async () => {
	const queue = await newFifo();
	await fails(queue.set({ FifoThroughputLimit: 'perMessageGroupId' }),
	    ['InvalidAttributeValue', VALUE]);
	assert.equal((await queue.get()).FifoThroughputLimit, 'perQueue');
});

test('a policy is given back as it was set, and taken away', async () => {
	const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [
	    { Sid: 'a <&> "b"', Effect: 'Allow', Principal: '*',
		Action: 'sqs:SendMessage', Resource: '*' }] });
	const queue = await newQueue({ Policy });
	assert.equal((await queue.get('Policy')).Policy, Policy);
	await fails(queue.set({ Policy: '{' }), 'InvalidAttributeValue',
	    /Policy/);
	await queue.set({ Policy: '' });
	assert.equal((await queue.get()).Policy, undefined);
});

test('the attributes of KMS are accepted and given back', async () => {
	const queue = await newQueue({ KmsMasterKeyId: 'alias/aws/sqs',
	    KmsDataKeyReusePeriodSeconds: '6000' });
	const kms = ['KmsMasterKeyId', 'KmsDataKeyReusePeriodSeconds',
	    'SqsManagedSseEnabled'];
	assert.deepEqual(await queue.get(...kms), {
	    KmsMasterKeyId: 'alias/aws/sqs',
	    KmsDataKeyReusePeriodSeconds: '6000',
	    SqsManagedSseEnabled: 'false' });
	await queue.set({ KmsMasterKeyId: '' });
	assert.equal((await queue.get()).KmsMasterKeyId, undefined);
});

test('encryption by SQS is switched off and on', async () => {
	const queue = await newQueue({ SqsManagedSseEnabled: 'false' });
	const now = async () => (await queue.get()).SqsManagedSseEnabled;
	assert.equal(await now(), 'false');
	await queue.set({ SqsManagedSseEnabled: 'true' });
	assert.equal(await now(), 'true');
	await fails(queue.set({ SqsManagedSseEnabled: 'perhaps' }),
	    'InvalidAttributeValue');
});

test('KMS and encryption by SQS exclude each other', async () => {
	const queue = await newQueue();
	await fails(queue.set({ SqsManagedSseEnabled: 'true',
	    KmsMasterKeyId: 'key' }), 'InvalidAttributeName',
	    /one type of server-side encryption/);
});

test('a redrive policy is given back, changed and taken away', async () => {
	const [queue, letters] = await newPair(3);
	const now = async () =>
	    JSON.parse((await queue.get('RedrivePolicy')).RedrivePolicy);
	assert.deepEqual(await now(),
	    { deadLetterTargetArn: letters.arn, maxReceiveCount: 3 });
	await queue.set({ RedrivePolicy: redrive(letters, '1000') });
	assert.equal(Number((await now()).maxReceiveCount), 1000);
	// Ten is the default.
	await queue.set({ RedrivePolicy: JSON.stringify(
	    { deadLetterTargetArn: letters.arn }) });
	assert.equal(Number((await now()).maxReceiveCount), 10);
	await queue.set({ RedrivePolicy: '' });
	assert.equal((await queue.get()).RedrivePolicy, undefined);
});

test('a bad redrive policy is InvalidParameterValue', async () => {
	const [queue, letters] = await newPair(3);
	const fifo = await newFifo();
	const bad = ['{', '[]', '"a"', '{}',
	    JSON.stringify({ maxReceiveCount: 1 }),
	    redrive(letters, 0), redrive(letters, 1001), redrive(letters, 'x'),
	    redrive({ arn: 'dummy' }, 42), redrive(fifo, 1)];
	for (const RedrivePolicy of bad) {
		await fails(queue.set({ RedrivePolicy }), VALUE,
		    /RedrivePolicy|[Rr]edrive policy|[Dd]ead.letter/);
		await fails(create({ RedrivePolicy }), VALUE);
	}
	assert.equal(JSON.parse((await queue.get()).RedrivePolicy)
	    .maxReceiveCount, 3);
});

test('a dead-letter queue that is not there is refused', async () => {
	const queue = await newQueue();
	const RedrivePolicy = redrive(
	    { arn: queue.arn.replace(/[^:]*$/, 'absent') }, 1);
	await fails(queue.set({ RedrivePolicy }),
	    [VALUE, 'QueueDoesNotExist'], /does not exist/);
	await fails(create({ RedrivePolicy }), [VALUE, 'QueueDoesNotExist'],
	    /does not exist/);
});

function allow(permission, ...arns)
{
	return { RedriveAllowPolicy: JSON.stringify({
	    redrivePermission: permission,
	    ...(arns.length ? { sourceQueueArns: arns } : {}) }) };
}

test('a redrive allow policy is given back', async () => {
	const queue = await newQueue();
	const source = await newQueue();
	for (const policy of [allow('denyAll'), allow('byQueue', source.arn),
	    allow('allowAll')]) {
		await queue.set(policy);
		assert.deepEqual(
		    JSON.parse((await queue.get()).RedriveAllowPolicy),
		    JSON.parse(policy.RedriveAllowPolicy));
	}
});

test('a bad redrive allow policy is refused', async () => {
	const queue = await newQueue();
	const arns = Array.from({ length: 11 }, (_, i) => queue.arn + i);
	await queue.set(allow('byQueue', ...arns.slice(0, 10)));
	for (const policy of [allow('byQueue'), allow('byQueue', ...arns),
	    allow('denyAll', queue.arn), allow('allowAll', queue.arn),
	    allow('perhaps'), { RedriveAllowPolicy: '{' }])
		await fails(queue.set(policy),
		    [VALUE, 'InvalidAttributeValue']);
});

test('a redrive allow policy says whose dead letters come', async () => {
	const letters = await newQueue();
	const source = await newQueue();
	const RedrivePolicy = redrive(letters, 1);
	await letters.set(allow('denyAll'));
	await fails(source.set({ RedrivePolicy }), VALUE);
	await fails(create({ RedrivePolicy }), VALUE);
	await letters.set(allow('byQueue', letters.arn));
	await fails(source.set({ RedrivePolicy }), VALUE);
	await letters.set(allow('byQueue', letters.arn, source.arn));
	await source.set({ RedrivePolicy });
});
