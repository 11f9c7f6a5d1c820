// Run all tests: for each there is a line of JSON with its name, how long it
// took, and what went wrong.  WQ_ENDPOINT in the environment is the server.
// With --list only their names are printed, with other arguments only tests
// are run whose name has one of them in it.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { names, runAll } = require('./kit');

const directory = path.join(__dirname, 'js');
for (const file of fs.readdirSync(directory).sort())
	if (file.endsWith('.js'))
		require(path.join(directory, file));

if (process.argv[2] === '--list')
	console.log(JSON.stringify(names()));
else
	runAll(process.argv.slice(2));
