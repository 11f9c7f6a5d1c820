"""A Celery application as a user would write it, with an SQS server as its
broker.  The environment names the server in CELERY_BROKER and, in RESULTS, the
directory in which each task leaves a trace.

As a program it sends tasks of these numbers: tasks.py FIRST END."""

import os
import sys

from celery import Celery

app = Celery("tasks", broker=os.environ["CELERY_BROKER"])
app.conf.update(
    broker_transport_options={
        "is_secure": False, "region": "us-east-1", "wait_time_seconds": 1,
        "polling_interval": 0, "queue_name_prefix": "celery-",
        "visibility_timeout": 600},
    task_default_queue="work", task_acks_late=True,
    task_reject_on_worker_lost=True, task_ignore_result=True,
    worker_prefetch_multiplier=8)


def leave(kind, number):
    """Leave a trace: a write of a few bytes comes whole or not at all."""
    descriptor = os.open(os.path.join(os.environ["RESULTS"], kind),
                         os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, b"%d\n" % number)
    finally:
        os.close(descriptor)


def is_first(kind, number):
    """Whether this is the first time that anyone asks."""
    try:
        os.close(os.open(
            os.path.join(os.environ["RESULTS"], f"{kind}.{number}"),
            os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return False
    return True


@app.task(bind=True, max_retries=5)
def work(self, number, text):
    if text != f"text <&> \u20ac {number}":
        leave("damaged", number)
    if number == 50 and is_first("crash", number):
        leave("crashed", number)
        os._exit(1)
    if number % 7 == 0 and self.request.retries < 2:
        leave("retried", number)
        raise self.retry(countdown=0)
    leave("done", number)


if __name__ == "__main__":
    for i in range(int(sys.argv[1]), int(sys.argv[2])):
        work.delay(i, f"text <&> \u20ac {i}")
