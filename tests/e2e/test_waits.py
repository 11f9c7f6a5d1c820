"""Long polling: receives that wait for a message."""

import signal
import time
import unittest

from harness import (DEADLINE, build_request, let_pass,
                     raise_descriptor_limit, now_epoch_ms, wait_until)
from queues import LONG, WAIT, QueueTestCase, Waiting, bodies, ids


class WaitTest(QueueTestCase):

    def test_push_wakes_a_receiver(self):
        waiting = self.root.receive_and_wait(LONG)
        message = self.root.push("awake")
        self.assertEqual(waiting.messages(),
                         [{"id": message, "body": "awake"}])
        self.assertEqual(self.root.state(message), "locked")

    def test_message_that_is_there_is_given_at_once(self):
        message = self.root.push()
        self.assertEqual(ids(self.root.receive(f"{WAIT}&{LONG}")), [message])

    def test_wait_without_a_message_ends_with_an_empty_array(self):
        began = time.monotonic()
        response = self.root.request("GET", query="wait=300")
        self.assert_not_before(began, 0.3)
        self.assert_status(response, 200)
        self.assertEqual(response.json(), {"messages": []})

    def test_waits_of_different_length_end_each_in_their_time(self):
        began = time.monotonic()
        waiting = [self.root.receive_and_wait(wait=f"wait={milliseconds}")
                   for milliseconds in (60000, 1500, 700)]
        for one, seconds in ((waiting[2], 0.7), (waiting[1], 1.5)):
            self.assertEqual(one.messages(), [])
            self.assert_not_before(began, seconds)
        self.assert_waits(waiting[0])

    def test_wait_0_does_not_wait(self):
        self.assertEqual(self.root.receive("wait=0"), [])

    def test_wait_on_a_queue_that_does_not_exist_is_404(self):
        self.assert_problem(
            self.queue("a").request("GET", query=WAIT), 404, "a")

    def test_head_does_not_wait(self):
        self.assert_status(self.root.request("HEAD", query=WAIT), 200)

    def test_waiters_are_counted(self):
        self.assertEqual(self.root.counts()["waiters"], 0)
        self.root.receive_and_wait()
        self.root.receive_and_wait()
        self.assertEqual(self.root.counts()["waiters"], 2)

    def test_served_waiter_is_not_counted(self):
        waiting = self.root.receive_and_wait()
        self.root.push()
        waiting.messages()
        self.assertEqual(self.root.counts()["waiters"], 0)

    def test_wait_that_ended_is_not_counted(self):
        self.root.receive("wait=30")
        self.assertEqual(self.root.counts()["waiters"], 0)

    def test_message_pushed_after_the_wait_ended_stays(self):
        self.root.receive("wait=30")
        message = self.root.push()
        self.assertEqual(self.root.look(message)["receives"], 0)

    def test_parameters_hold_when_it_is_woken(self):
        waiting = self.root.receive_and_wait(
            "details=true&timeout=500000&amount=2")
        let_pass(0.1)
        before = now_epoch_ms()
        pushed = self.root.push_lines(1, 2, 3)
        messages = waiting.messages()
        after = now_epoch_ms()
        self.assertEqual(ids(messages), pushed[:2])
        for message in messages:
            self.assertEqual(message["receives"], 1)
            self.assert_epoch_ms(message["lockedUntil"], before, after,
                                 500000)

    def test_amount_is_the_most_not_the_least(self):
        waiting = self.root.receive_and_wait("amount=10&" + LONG)
        message = self.root.push()
        self.assertEqual(ids(waiting.messages()), [message])

    def test_connection_goes_on_after_a_wait(self):
        waiting = self.root.receive_and_wait()
        self.root.push()
        waiting.messages()
        self.assert_status(
            waiting.connection.request("GET", "/health"), 200)

    def test_request_sent_while_it_waits_is_answered_after_it(self):
        waiting = self.root.receive_and_wait(LONG)
        waiting.connection.send_request("GET", "/health")
        self.assert_waits(waiting)
        message = self.root.push()
        self.assertEqual(ids(waiting.messages()), [message])
        self.assert_status(waiting.connection.read_response(), 200)

    def test_message_of_another_queue_wakes_nobody(self):
        a = self.queue("a")
        a.configure()
        waiting = [self.root.receive_and_wait(), a.receive_and_wait()]
        self.queue("b").push()
        self.assert_waits(*waiting)
        message = a.push()
        self.assertEqual(ids(waiting[1].messages()), [message])
        self.assert_waits(waiting[0])

    def test_push_to_queue_default_wakes_who_waits_at_the_root(self):
        waiting = self.root.receive_and_wait()
        message = self.queue("default").push()
        self.assertEqual(ids(waiting.messages()), [message])

    def test_others_are_served_meanwhile(self):
        for _ in range(20):
            self.root.receive_and_wait()
        self.assert_status(self.server.request("GET", "/health"), 200)
        message = self.queue("a").push()
        self.assertEqual(ids(self.queue("a").receive()), [message])

    def test_a_big_message_wakes_too(self):
        waiting = self.root.receive_and_wait()
        self.root.push("x" * 900000)
        self.assertEqual(len(waiting.messages()[0]["body"]), 900000)

    def test_bad_wait_is_400(self):
        for value in ("-1", "abc", "", "1.5", "60001", "1" + "0" * 30, "1s"):
            with self.subTest(value=value):
                self.assert_problem(
                    self.root.request("GET", query="wait=" + value),
                    400, "wait")


class WakingTest(QueueTestCase):
    """Whatever makes a message available wakes who waits for one."""

    def lock(self, query=LONG):
        message = self.root.push()
        self.assertEqual(ids(self.root.receive(query)), [message])
        return message

    def test_lock_that_ends_wakes(self):
        message = self.root.push()
        began = time.monotonic()
        self.root.receive("timeout=300")
        waiting = self.root.receive_and_wait("details=true")
        [got] = waiting.messages()
        self.assert_not_before(began, 0.3)
        self.assertEqual((got["id"], got["receives"]), (message, 2))

    def test_lock_of_the_queue_s_own_timeout_that_ends_wakes(self):
        message = self.root.push()
        began = time.monotonic()
        self.root.receive("")
        waiting = self.root.receive_and_wait()
        self.assertEqual(ids(waiting.messages()), [message])
        self.assert_not_before(began, 1.0)

    def test_delay_that_ends_wakes(self):
        began = time.monotonic()
        message = self.root.push(1, "delay=300")
        waiting = self.root.receive_and_wait()
        self.assertEqual(ids(waiting.messages()), [message])
        self.assert_not_before(began, 0.3)

    def test_delay_of_the_queue_that_ends_wakes(self):
        queue = self.queue("a", delay=300)
        waiting = queue.receive_and_wait()
        began = time.monotonic()
        message = queue.push()
        self.assertEqual(ids(waiting.messages()), [message])
        self.assert_not_before(began, 0.3)

    def test_give_back_wakes(self):
        message = self.lock()
        waiting = self.root.receive_and_wait()
        self.root.give_back(message)
        self.assertEqual(ids(waiting.messages()), [message])

    def test_shortened_lock_that_ends_wakes(self):
        message = self.lock()
        waiting = self.root.receive_and_wait()
        self.root.confirm(message, "timeout=50")
        self.assertEqual(ids(waiting.messages()), [message])

    def test_lines_wake(self):
        waiting = self.root.receive_and_wait()
        pushed = self.root.push_lines(1, 2)
        self.assertEqual(ids(waiting.messages()), pushed)

    def test_resume_wakes(self):
        queue = self.queue("a")
        message = queue.push()
        queue.post("pause")
        waiting = queue.receive_and_wait()
        self.assert_waits(waiting)
        queue.post("resume")
        self.assertEqual(ids(waiting.messages()), [message])

    def test_push_to_a_paused_queue_wakes_nobody(self):
        queue = self.queue("a")
        queue.configure()
        waiting = queue.receive_and_wait()
        queue.post("pause")
        message = queue.push()
        self.assert_waits(waiting)
        self.assertEqual(queue.look(message)["receives"], 0)
        queue.post("resume")
        self.assertEqual(ids(waiting.messages()), [message])

    def test_wait_in_a_paused_queue_ends_in_its_time(self):
        queue = self.queue("a")
        queue.push()
        queue.post("pause")
        began = time.monotonic()
        self.assertEqual(queue.receive("wait=300"), [])
        self.assert_not_before(began, 0.3)

    def test_purge_leaves_who_waits(self):
        self.lock()
        waiting = self.root.receive_and_wait()
        self.root.post("purge")
        self.assert_waits(waiting)
        message = self.root.push()
        self.assertEqual(ids(waiting.messages()), [message])

    def test_delete_of_the_queue_ends_waits_at_once(self):
        queue = self.queue("a")
        queue.configure()
        waiting = [queue.receive_and_wait() for _ in range(3)]
        queue.expect((204,), "DELETE")
        for one in waiting:
            response = one.response()
            self.assert_status(response, 200, 404)
            if response.status == 200:
                self.assertEqual(response.json(), {"messages": []})

    def test_confirm_under_max_locked_wakes(self):
        queue = self.queue("a", maxLocked=1)
        first, second = queue.push(), queue.push()
        self.assertEqual(ids(queue.receive()), [first])
        waiting = queue.receive_and_wait()
        self.assert_waits(waiting)
        queue.confirm(first)
        self.assertEqual(ids(waiting.messages()), [second])

    def test_confirm_of_an_array_under_max_locked_wakes(self):
        queue = self.queue("a", maxLocked=2)
        pushed = queue.push_lines(1, 2, 3)
        self.assertEqual(ids(queue.receive()), pushed[:2])
        waiting = queue.receive_and_wait()
        queue.expect((200,), "PATCH", body=(
            '["%s","%s"]' % tuple(pushed[:2])).encode())
        self.assertEqual(ids(waiting.messages()), pushed[2:])

    def test_lock_that_ends_under_max_locked_wakes(self):
        queue = self.queue("a", maxLocked=1)
        first, second = queue.push(), queue.push()
        self.assertEqual(ids(queue.receive("timeout=300")), [first])
        waiting = queue.receive_and_wait(LONG)
        self.assertEqual(ids(waiting.messages()), [second])

    def test_more_max_locked_wakes(self):
        queue = self.queue("a", maxLocked=1)
        first, second = queue.push(), queue.push()
        self.assertEqual(ids(queue.receive()), [first])
        waiting = queue.receive_and_wait()
        queue.configure(maxLocked=2)
        self.assertEqual(ids(waiting.messages()), [second])

    def test_redrive_wakes(self):
        source = self.queue("source", maxReceives=1,
                            deadLetterQueue="dead")
        message = source.push()
        source.receive()
        source.give_back(message)
        waiting = source.receive_and_wait()
        self.assertEqual(self.queue("dead").redrive(), 1)
        self.assertEqual(ids(waiting.messages()), [message])

    def test_dead_letter_wakes(self):
        source = self.queue("source", maxReceives=1,
                            deadLetterQueue="dead")
        message = source.push()
        source.receive()
        waiting = self.queue("dead").receive_and_wait()
        source.give_back(message)
        self.assertEqual(ids(waiting.messages()), [message])

    def test_each_round_of_expiry_wakes_again(self):
        message = self.lock("timeout=30")
        for receives in range(2, 8):
            [got] = self.root.receive(
                f"{WAIT}&details=true&timeout=30")
            self.assertEqual((got["id"], got["receives"]),
                             (message, receives))


class OrderTest(QueueTestCase):

    def test_first_come_first_served(self):
        waiting = [self.root.receive_and_wait("amount=1") for _ in range(5)]
        pushed = [self.root.push(i) for i in range(5)]
        self.assertEqual([ids(one.messages()) for one in waiting],
                         [[message] for message in pushed])

    def test_first_come_first_served_with_other_waits(self):
        first = self.root.receive_and_wait(wait="wait=60000")
        second = self.root.receive_and_wait(wait="wait=50000")
        message = self.root.push()
        self.assertEqual(ids(first.messages()), [message])
        self.assert_waits(second)

    def test_lines_are_shared_one_message_each(self):
        waiting = [self.root.receive_and_wait("amount=1") for _ in range(4)]
        pushed = self.root.push_lines(*range(3))
        self.assertEqual([ids(one.messages()) for one in waiting[:3]],
                         [[message] for message in pushed])
        self.assert_waits(waiting[3])

    def test_first_gets_as_many_as_it_wants(self):
        first = self.root.receive_and_wait("amount=2")
        second = self.root.receive_and_wait("amount=2")
        pushed = self.root.push_lines(*range(3))
        self.assertEqual(ids(first.messages()), pushed[:2])
        self.assertEqual(ids(second.messages()), pushed[2:])

    def test_one_message_wakes_one_receiver(self):
        waiting = [self.root.receive_and_wait() for _ in range(3)]
        self.root.push()
        self.assertEqual(len(waiting[0].messages()), 1)
        self.assert_waits(*waiting[1:])
        self.assertEqual(self.root.counts()["waiters"], 2)

    def test_receive_that_does_not_wait_takes_nothing_from_those_who_do(self):
        waiting = self.root.receive_and_wait()
        self.assertEqual(self.root.receive(), [])
        message = self.root.push()
        self.assertEqual(ids(waiting.messages()), [message])

    def test_resume_serves_in_the_order_of_waiting(self):
        queue = self.queue("a")
        queue.configure()
        queue.post("pause")
        waiting = [queue.receive_and_wait("amount=1") for _ in range(3)]
        pushed = queue.push_lines(*range(3))
        queue.post("resume")
        self.assertEqual([ids(one.messages()) for one in waiting],
                         [[message] for message in pushed])

    def test_locks_that_end_together_serve_all_who_wait(self):
        pushed = self.root.push_lines(*range(20))
        self.root.receive("amount=20&timeout=300")
        waiting = [self.root.receive_and_wait("amount=1&" + LONG)
                   for _ in range(20)]
        got = [message for one in waiting for message in ids(one.messages())]
        self.assertEqual(sorted(got), sorted(pushed))

    def test_many_who_wait_get_each_message_once(self):
        waiting = [self.root.receive_and_wait("amount=1&" + LONG)
                   for _ in range(100)]
        with self.server.connect() as connection:
            for i in range(100):
                connection.request("POST", "/", b"%d" % i)
        got = [message for one in waiting
               for message in bodies(one.messages())]
        self.assertEqual(got, list(range(100)))


class CrowdTest(QueueTestCase):
    """Many times that end at once, more than are seen to in one turn.  The
    server sleeps while they end, so that it finds them all together."""

    def sleep(self, seconds):
        self.server.signal(signal.SIGSTOP)
        try:
            let_pass(seconds)
        finally:
            self.server.signal(signal.SIGCONT)

    def test_waits_that_end_in_a_crowd_of_delays_end(self):
        crowded, quiet = self.queue("crowded"), self.queue("quiet")
        crowded.configure()
        quiet.configure()
        for crowd in (100, 700, 1500):
            worker = crowded.receive_and_wait("amount=1000&" + LONG)
            crowded.push_lines(*range(crowd), query="delay=800")
            waiting = [quiet.receive_and_wait(wait="wait=800")
                       for _ in range(5)]
            self.sleep(1)
            # No call comes that would see to what was left over.
            self.assertTrue(worker.messages())
            for one in waiting:
                self.assertEqual(one.messages(), [])
            crowded.post("purge")

    def test_no_wait_is_cut_short_by_a_crowd(self):
        crowded, quiet = self.queue("crowded"), self.queue("quiet")
        quiet.configure()
        for crowd in (100, 700, 1500):
            crowded.push_lines(*range(crowd), query="delay=500")
            waiting = quiet.receive_and_wait(LONG)
            # It is gone as soon as it can be had.
            quiet.push("gone", "delay=500&ttl=500")
            self.sleep(0.7)
            crowded.wait_count(crowd)
            quiet.push("there")
            self.assertIn(waiting.messages()[0]["body"], ("gone", "there"))
            crowded.post("purge")
            quiet.post("purge")

    def test_no_wait_on_the_crowded_queue_is_cut_short(self):
        crowded = self.queue("crowded")
        crowded.configure()
        for crowd in (700, 4000, 10000):
            waiting = [crowded.receive_and_wait("amount=1&" + LONG)
                       for _ in range(3)]
            pushed = crowded.push_lines(*range(crowd), query="delay=500")
            self.sleep(0.7)
            self.assertEqual([ids(one.messages()) for one in waiting],
                             [[message] for message in pushed[:3]])
            crowded.post("purge")

    def test_receive_that_does_not_wait_finds_a_crowd(self):
        crowded = self.queue("crowded")
        pushed = crowded.push_lines(*range(10000), query="delay=500")
        connection = self.connection(self.server)
        self.assert_status(connection.request("GET", "/health"), 200)
        self.server.signal(signal.SIGSTOP)
        try:
            connection.send_request("GET", crowded.target("", LONG))
            let_pass(0.7)
        finally:
            self.server.signal(signal.SIGCONT)
        messages = connection.read_response().json()["messages"]
        self.assertEqual(ids(messages), pushed[:len(messages)])
        self.assertTrue(messages)

    def test_locks_that_end_in_a_crowd_wake_all_who_wait(self):
        crowded = self.queue("crowded")
        crowded.push_lines(*range(1500))
        crowded.receive("amount=1000&timeout=800")
        crowded.receive("amount=1000&timeout=800")
        waiting = [crowded.receive_and_wait("amount=10&" + LONG)
                   for _ in range(150)]
        self.sleep(1)
        got = [message for one in waiting for message in ids(one.messages())]
        self.assertEqual(len(got), len(set(got)))
        self.assertEqual(len(got), crowded.counts()["locked"])


class LeavingTest(QueueTestCase):
    """A client that goes away while it waits takes nothing with it."""

    def assert_untouched(self, message):
        look = self.root.look(message)
        self.assertEqual((look["state"], look["receives"]),
                         ("available", 0))

    def test_who_left_is_forgotten(self):
        for leave in ("close", "reset"):
            waiting = [self.root.receive_and_wait() for _ in range(10)]
            for one in waiting:
                getattr(one.connection, leave)()
            self.root.wait_waiters(0)

    def test_message_pushed_after_it_left_stays(self):
        for leave in ("close", "reset"):
            with self.subTest(leave=leave):
                waiting = self.root.receive_and_wait(LONG)
                getattr(waiting.connection, leave)()
                self.assert_untouched(self.root.push())
                self.root.post("purge")

    def test_message_goes_to_the_next_who_waits(self):
        for leave in ("close", "reset"):
            for _ in range(50):
                gone = self.root.receive_and_wait(LONG)
                waiting = self.root.receive_and_wait("details=true&" + LONG)
                getattr(gone.connection, leave)()
                message = self.root.push()
                [got] = waiting.messages()
                self.assertEqual((got["id"], got["receives"]), (message, 1))

    def test_messages_go_past_many_who_left(self):
        gone = [self.root.receive_and_wait("amount=1&" + LONG)
                for _ in range(30)]
        waiting = self.root.receive_and_wait("details=true&" + LONG)
        for index, one in enumerate(gone):
            one.connection.reset() if index % 2 else one.connection.close()
        pushed = self.root.push_lines(1, 2, 3)
        messages = waiting.messages()
        self.assertEqual(ids(messages), pushed)
        self.assertEqual([one["receives"] for one in messages], [1, 1, 1])

    def test_delayed_message_stays_when_it_left(self):
        message = self.root.push(1, "delay=1000")
        waiting = self.root.receive_and_wait(LONG)
        if not waiting.is_silent(0):
            self.skipTest("too slow a machine to tell")
        waiting.connection.close()
        self.root.wait_state(message, "available")
        self.assert_untouched(message)

    def test_who_left_in_the_middle_of_the_line_is_passed_over(self):
        waiting = [self.root.receive_and_wait("amount=1&" + LONG)
                   for _ in range(5)]
        for index in (1, 3):
            waiting[index].connection.close()
        pushed = self.root.push_lines(1, 2, 3)
        self.assertEqual(
            [ids(waiting[index].messages()) for index in (0, 2, 4)],
            [[message] for message in pushed])

    def assert_pipelining_loses_nothing(self, leave):
        waiting = self.root.receive_and_wait(LONG)
        waiting.connection.send_request("GET", "/health")
        # The server has seen that there is more, and goes on waiting.
        self.assert_waits(waiting)
        getattr(waiting.connection, leave)()
        let_pass(0.1)
        message = self.root.push()
        look = self.root.look(message)
        self.assertEqual((look["state"], look["receives"]),
                         ("available", 0))

    def test_client_that_sent_its_next_request_and_closed_takes_nothing(self):
        self.assert_pipelining_loses_nothing("close")

    def test_client_that_sent_its_next_request_and_reset_takes_nothing(self):
        self.assert_pipelining_loses_nothing("reset")

    def test_totals_do_not_count_who_left(self):
        waiting = self.root.receive_and_wait()
        waiting.connection.close()
        self.root.push()
        self.assertEqual(self.root.totals()["received"], 0)


class MaxWaitTest(QueueTestCase):

    OPTIONS = ("--max-wait", "300")

    def test_wait_over_max_wait_is_400(self):
        self.assert_problem(
            self.root.request("GET", query="wait=301"), 400, "wait", "300")

    def test_wait_of_max_wait_is_fine(self):
        began = time.monotonic()
        self.assertEqual(self.root.receive("wait=300"), [])
        self.assert_not_before(began, 0.3)


class TimeoutsOfConnectionsTest(QueueTestCase):

    OPTIONS = ("--request-timeout", "200", "--idle-timeout", "200",
               "--write-timeout", "200")

    def test_wait_is_not_cut_short_by_timeouts_of_connections(self):
        began = time.monotonic()
        self.assertEqual(self.root.receive("wait=1500"), [])
        self.assert_not_before(began, 1.5)

    def test_receiver_is_woken_after_the_timeouts_of_connections(self):
        waiting = self.root.receive_and_wait()
        let_pass(1)
        message = self.root.push()
        self.assertEqual(ids(waiting.messages()), [message])


class ManyWaitersTest(QueueTestCase):

    COUNT = 1000
    OPTIONS = ("--max-wait", "3600000", "--drain-timeout", "60000")

    def setUp(self):
        raise_descriptor_limit(self.COUNT + 200)
        super().setUp()
        self.waiting = []
        for _ in range(self.COUNT):
            connection = self.connection(self.server)
            connection.send(build_request(
                "GET", f"/?wait=3600000&amount=1&{LONG}"))
            self.waiting.append(Waiting(connection))
        self.root.wait_waiters(self.COUNT)

    def test_1000_waiters_cost_no_processor_time(self):
        cpu, began = self.server.cpu_seconds(), time.monotonic()
        let_pass(2)
        used = self.server.cpu_seconds() - cpu
        self.assertLess(used, 0.05 * (time.monotonic() - began))

    def test_1000_waiters_are_all_served(self):
        self.root.push_lines(*range(self.COUNT))
        got = [body for one in self.waiting
               for body in bodies(one.messages())]
        self.assertEqual(sorted(got), list(range(self.COUNT)))
        self.assertEqual(self.root.count(), (0, self.COUNT, 0))

    def test_1000_waiters_that_leave_are_forgotten(self):
        for one in self.waiting:
            one.connection.close()
        self.root.wait_waiters(0)
        message = self.root.push()
        self.assertEqual(self.root.look(message)["receives"], 0)

    def test_1000_waiters_are_answered_at_the_end(self):
        self.server.signal(signal.SIGTERM)
        for one in self.waiting:
            self.assertEqual(one.messages(), [])
        self.server.check_end()


class EndTest(QueueTestCase):

    OPTIONS = ("--max-wait", "3600000", "--drain-timeout", "600000")

    def test_sigterm_answers_who_waits_with_an_empty_array(self):
        queue = self.queue("a")
        queue.configure()
        waiting = [one.receive_and_wait(wait="wait=3600000")
                   for one in (self.root, queue, self.root)]
        self.server.signal(signal.SIGTERM)
        for one in waiting:
            response = one.response()
            self.assert_status(response, 200)
            self.assertEqual(response.json(), {"messages": []})
            one.connection.expect_closed()
        # The drain timeout is far off: they did not hold it up.
        self.assertEqual(self.server.wait_end(DEADLINE), 0)
        self.server.check_end()

    def test_sigterm_ends_waits_in_a_paused_queue(self):
        queue = self.queue("a")
        queue.push()
        queue.post("pause")
        waiting = queue.receive_and_wait(wait="wait=3600000")
        self.server.signal(signal.SIGTERM)
        self.assertEqual(waiting.messages(), [])
        self.server.check_end()

    def test_receive_that_comes_while_draining_does_not_wait(self):
        waiting = self.root.receive_and_wait(wait="wait=3600000")
        other = self.connection(self.server)
        request = build_request("GET", "/?wait=3600000")
        other.send(request[:-1])
        # It is in hand, and will be complete after the signal.
        wait_until(lambda: self.server.request("GET", "/health"))
        self.server.signal(signal.SIGTERM)
        waiting.messages()
        other.send(request[-1:])
        self.assertEqual(other.read_response().json()["messages"], [])
        self.server.check_end()


if __name__ == "__main__":
    unittest.main()
