// SendMessage: bodies, attributes, sizes, delays.
'use strict';

const { MIB, assert, fails, md5, md5Attributes, newQueue, test } =
    require('../kit');

const VALUE = 'InvalidParameterValue';
const TRACE = 'Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1';
const ATTRIBUTES = {
	city: { DataType: 'String', StringValue: 'Zürich <&>"\' 😀' },
	'id.String': { DataType: 'String.uuid', StringValue: 'a-b' },
	count: { DataType: 'Number', StringValue: '-12.50' },
	price: { DataType: 'Number.float_eur', StringValue: '1e3' },
	blob: { DataType: 'Binary', BinaryValue: Buffer.from([0, 1, 255]) },
	image: { DataType: 'Binary.png',
	    BinaryValue: Buffer.from('\x89PNG\r\n') },
	'B-_.9': { DataType: 'String', StringValue: ' ' },
};

function text(value, type = 'String')
{
	return { DataType: type, StringValue: value };
}

// The attributes as an answer gives them, as those that were sent.
function plain(attributes)
{
	return Object.fromEntries(Object.entries(attributes ?? {}).map(
	    ([name, { DataType, StringValue, BinaryValue }]) => [name,
		BinaryValue === undefined ? { DataType, StringValue } :
		{ DataType, BinaryValue: Buffer.from(BinaryValue) }]));
}

test('SendMessage answers with an ID and the MD5 of the body', async () => {
	const queue = await newQueue();
	const sent = await queue.send('hello');
	assert.equal(sent.MD5OfMessageBody, md5('hello'));
	assert.match(sent.MessageId, /^[0-9a-f-]{36}$/);
	assert.equal(sent.MD5OfMessageAttributes, undefined);
	assert.equal(sent.MD5OfMessageSystemAttributes, undefined);
	assert.equal(sent.SequenceNumber, undefined);
	const message = await queue.one();
	assert.deepEqual([message.Body, message.MD5OfBody, message.MessageId],
	    ['hello', md5('hello'), sent.MessageId]);
});

for (const [what, body] of [
	['JSON', '{"b": 1,  "a": [1.0, 1e400, "\\u0000\\ud834"]}\n'],
	['a JSON string', '"quoted"'],
	['a number', '12345678901234567890'],
	['text', 'plain \\ "text" <&amp;> \'/'],
	['white space', ' \t\r\n '],
	['a space', ' '],
	['all of Unicode', 'ä€𝄞😀\u0085\u2028\u2029\ud7ff\ue000\ufffd\u{10ffff}'],
	['base64', 'eyJhIjogMX0='],
	['a form', 'Action=SendMessage&a=%41+b%00;c'],
	['XML', '<?xml version="1.0"?><a><![CDATA[b]]></a>'],
])
	test(`${what} comes back as it was sent`, async () => {
		const queue = await newQueue();
		await queue.send(body);
		const message = await queue.one();
		assert.equal(message.Body, body);
		assert.equal(message.MD5OfBody, md5(body));
	});

test('characters that XML has not are InvalidMessageContents', async () => {
	const queue = await newQueue();
	for (const bad of ['\0', '\x01', '\x08', '\x0b', '\x0c', '\x1f',
	    '\ufffe', '\uffff'])
		await fails(queue.send(`a${bad}b`), 'InvalidMessageContents');
	assert.deepEqual(await queue.counts(), [0, 0, 0]);
});

test('an empty body is a missing parameter', async () => {
	const queue = await newQueue();
	for (const body of ['', undefined])
		await fails(queue.send(body), 'MissingParameter',
		    /MessageBody/);
});

test('a message has up to 1 MiB', async () => {
	const queue = await newQueue();
	const body = 'x'.repeat(MIB);
	await queue.send(body);
	await fails(queue.send(body + 'x'), VALUE,
	    /shorter than 1048576 bytes/);
	assert.equal((await queue.one()).Body, body);
});

test('1 MiB of what must be escaped goes through', async () => {
	const queue = await newQueue();
	const body = '"\\\n\t'.repeat(MIB / 4);
	await queue.send(body);
	assert.equal((await queue.one()).Body, body);
});

test('attributes count to the size, system attributes do not', async () => {
	const queue = await newQueue({ MaximumMessageSize: '1024' });
	const MessageAttributes = { name: text('value') };	// 15 bytes
	const MessageSystemAttributes = { AWSTraceHeader: text(TRACE) };
	await queue.send('x'.repeat(1009),
	    { MessageAttributes, MessageSystemAttributes });
	await fails(queue.send('x'.repeat(1010), { MessageAttributes }), VALUE,
	    /shorter than/);
});

test('the size is counted in bytes of UTF-8', async () => {
	const queue = await newQueue({ MaximumMessageSize: '1024' });
	await queue.send('é'.repeat(512));
	await fails(queue.send('é'.repeat(513)), VALUE);
});

test('attributes of all types come back, and their MD5', async () => {
	const queue = await newQueue();
	const sent = await queue.send('a', { MessageAttributes: ATTRIBUTES });
	assert.equal(sent.MD5OfMessageAttributes, md5Attributes(ATTRIBUTES));
	const message = await queue.one({ MessageAttributeNames: ['All'] });
	assert.equal(message.MD5OfMessageAttributes,
	    md5Attributes(ATTRIBUTES));
	assert.deepEqual(plain(message.MessageAttributes), ATTRIBUTES);
});

test('a trace header comes back as a system attribute', async () => {
	const queue = await newQueue();
	const attributes = { AWSTraceHeader: text(TRACE) };
	const sent = await queue.send('a',
	    { MessageSystemAttributes: attributes });
	assert.equal(sent.MD5OfMessageSystemAttributes,
	    md5Attributes(attributes));
	assert.equal(sent.MD5OfMessageAttributes, undefined);
	const message = await queue.one(
	    { MessageSystemAttributeNames: ['AWSTraceHeader'] });
	assert.deepEqual(message.Attributes, { AWSTraceHeader: TRACE });
});

test('other system attributes cannot be sent', async () => {
	const queue = await newQueue();
	for (const bad of [{ SenderId: text('me') },
	    { AWSTraceHeader: text('1', 'Number') }])
		await fails(queue.send('a', { MessageSystemAttributes: bad }),
		    VALUE);
});

test('a message has up to ten attributes', async () => {
	const queue = await newQueue();
	const some = (count) => ({ MessageAttributes: Object.fromEntries(
	    Array.from({ length: count }, (_, i) => ['n' + i, text('v')])) });
	await queue.send('a', some(10));
	await fails(queue.send('a', some(11)), VALUE, /10/);
});

test('the name of an attribute has rules', async () => {
	const queue = await newQueue();
	const named = (name) => queue.send('a',
	    { MessageAttributes: { [name]: text('v') } });
	for (const good of ['n'.repeat(256), 'a.b', 'AWSome', 'amazonas',
	    '0', '-', '_'])
		await named(good);
	for (const bad of ['n'.repeat(257), '.a', 'a.', 'a..b', 'a b', 'a:b',
	    'ä', 'AWS.a', 'aws.a', 'Amazon.a', 'amazon.a'])
		await fails(named(bad), VALUE);
});

test('the value of an attribute fits its type', async () => {
	const queue = await newQueue();
	const typed = (attribute) => queue.send('a',
	    { MessageAttributes: { name: attribute } });
	await typed(text('v', 'String.' + 'l'.repeat(249)));
	await typed(text('0'.repeat(20), 'Number'));
	await fails(typed(text('')), VALUE, /non-empty/);
	await fails(typed(text('', 'Number')), VALUE);
	await fails(typed({ DataType: 'Binary',
	    BinaryValue: Buffer.alloc(0) }), VALUE);
	for (const bad of [text('v', 'Colour'), text('v', 'string'),
	    text('v', ''), text('v', 'Stringly'), { StringValue: 'v' },
	    text('v', 'String.' + 'l'.repeat(250)),
	    { DataType: 'String' }, { DataType: 'Binary' },
	    { DataType: 'String', BinaryValue: Buffer.from('v') },
	    text('v', 'Binary'), text('ten', 'Number'),
	    text('1 2', 'Number'), text('\x01')])
		await fails(typed(bad), [VALUE, 'MissingParameter',
		    'InvalidMessageContents']);
	await fails(typed(text('ten', 'Number')), VALUE);
});

test('a message has a delay of 0 to 900 seconds', async () => {
	const queue = await newQueue();
	await queue.send('a', { DelaySeconds: 900 });
	await queue.waitCounts(0, 0, 1);
	for (const bad of [-1, 901])
		await fails(queue.send('a', { DelaySeconds: bad }), VALUE,
		    /DelaySeconds/);
});

test('a delayed message comes when its time has come', async () => {
	const queue = await newQueue();
	const began = Date.now();
	await queue.send('a', { DelaySeconds: 1 });
	assert.equal((await queue.one()).Body, 'a');
	assert.ok(Date.now() - began >= 990);
});

test('the delay of the queue holds where the message has none', async () => {
	const queue = await newQueue({ DelaySeconds: '900' });
	await queue.send('late');
	await queue.send('now', { DelaySeconds: 0 });
	assert.equal((await queue.one()).Body, 'now');
	assert.deepEqual(await queue.counts(), [0, 1, 1]);
});

test('another delay of a standard queue holds for what comes after',
    async () => {
	const queue = await newQueue({ DelaySeconds: '900' });
	await queue.send('late');
	await queue.set({ DelaySeconds: '0' });
	await queue.send('now');
	assert.equal((await queue.one()).Body, 'now');
	assert.deepEqual(await queue.receive(), []);
});

test('a group on a standard queue is given back', async () => {
	const queue = await newQueue();
	await queue.send('a', { MessageGroupId: 'tenant' });
	const message = await queue.one({ AttributeNames: ['All'] });
	assert.equal(message.Attributes.MessageGroupId, 'tenant');
});

test('a deduplication ID on a standard queue is refused', async () => {
	const queue = await newQueue();
	await fails(queue.send('a', { MessageDeduplicationId: 'd' }), VALUE,
	    /MessageDeduplicationId/);
});
