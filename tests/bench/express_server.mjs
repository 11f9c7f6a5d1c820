// The straightforward Node.js server with Express, as most would write it:
// the same as node_server.mjs, with routes and bodies by the framework.  The
// port is the first argument or PORT.  Debian's node-express is found where
// NODE_PATH is /usr/share/nodejs.
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';

const express = createRequire(import.meta.url)('express');

const LOCK_TIMEOUT_MS = 1000;
const AMOUNT = 10;

const waiting = [];
const locked = new Map();
const app = express();

app.use(express.json({ strict: false }));

app.post('/', (request, response) => {
	const id = randomUUID();
	waiting.push({ id, body: request.body });
	response.status(201).json({ messageID: id });
});

app.get(['/health', '/ready'], (request, response) => {
	response.json({ status: 'ok' });
});

app.get('/', (request, response) => {
	const amount = Number(request.query.amount ?? AMOUNT);
	const timeout = Number(request.query.timeout ?? LOCK_TIMEOUT_MS);
	const messages = waiting.splice(0, amount);
	for (const message of messages) {
		locked.set(message.id, setTimeout(() => {
			locked.delete(message.id);
			waiting.push(message);
		}, timeout));
	}
	response.json({ messages });
});

app.patch('/:id', (request, response) => {
	const timer = locked.get(request.params.id);
	if (timer === undefined) {
		response.status(404).json({ detail: 'no such locked message' });
		return;
	}
	clearTimeout(timer);
	locked.delete(request.params.id);
	response.sendStatus(204);
});

app.listen(Number(process.argv[2] ?? process.env.PORT ?? 3000), '127.0.0.1');
