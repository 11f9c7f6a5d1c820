// The straightforward Node.js server: what one writes first, for comparison.
// POST / pushes, GET /?amount=N receives, PATCH /ID confirms.  The port is
// the first argument or PORT.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

const LOCK_TIMEOUT_MS = 1000;
const AMOUNT = 10;

const waiting = [];
const locked = new Map();

function answer(response, status, value) {
	if (value === undefined) {
		response.writeHead(status);
		response.end();
		return;
	}
	const text = JSON.stringify(value);
	response.writeHead(status, {
		'Content-Type': 'application/json',
		'Content-Length': Buffer.byteLength(text),
	});
	response.end(text);
}

function push(request, response) {
	let text = '';
	request.setEncoding('utf8');
	request.on('data', (chunk) => { text += chunk; });
	request.on('end', () => {
		let body;
		try {
			body = JSON.parse(text);
		} catch (error) {
			answer(response, 400, { detail: error.message });
			return;
		}
		const id = randomUUID();
		waiting.push({ id, body });
		answer(response, 201, { messageID: id });
	});
}

function receive(url, response) {
	const amount = Number(url.searchParams.get('amount') ?? AMOUNT);
	const timeout = Number(url.searchParams.get('timeout') ??
	    LOCK_TIMEOUT_MS);
	const messages = [];
	while (messages.length < amount && waiting.length > 0) {
		const message = waiting.shift();
		const timer = setTimeout(() => {
			locked.delete(message.id);
			waiting.push(message);
		}, timeout);
		locked.set(message.id, timer);
		messages.push({ id: message.id, body: message.body });
	}
	answer(response, 200, { messages });
}

function confirm(url, response) {
	const id = url.pathname.slice(1);
	const timer = locked.get(id);
	if (timer === undefined) {
		answer(response, 404, { detail: 'no such locked message' });
		return;
	}
	clearTimeout(timer);
	locked.delete(id);
	answer(response, 204);
}

const server = createServer((request, response) => {
	const url = new URL(request.url, 'http://localhost');
	if (request.method === 'POST' && url.pathname === '/')
		push(request, response);
	else if (request.method === 'GET' && url.pathname === '/')
		receive(url, response);
	else if (request.method === 'PATCH')
		confirm(url, response);
	else if (url.pathname === '/health' || url.pathname === '/ready')
		answer(response, 200, { status: 'ok' });
	else
		answer(response, 404, { detail: 'no such page' });
});

server.listen(Number(process.argv[2] ?? process.env.PORT ?? 3000),
    '127.0.0.1');
