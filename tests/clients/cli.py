"""The aws CLI for many calls: each line of the input is a JSON array of the
arguments of one, each line of the output its status, output and errors.

It is the command itself but for the time that Python takes to start."""

import contextlib
import io
import json
import sys

from awscli.clidriver import create_clidriver


def run(driver, arguments):
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    err = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = driver.main(arguments)
    return {"status": status, "out": out.buffer.getvalue().decode(),
            "err": err.getvalue()}


def main():
    driver = create_clidriver()
    for line in sys.stdin:
        result = run(driver, json.loads(line))
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
