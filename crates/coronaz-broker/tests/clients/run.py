#!/usr/bin/env python3
"""Conducts other people's clients against one broker: see README.md.

usage: run.py BROKER {embedded,kafka} FOLDER_OF_INSTALLED_CLIENTS [CLIENT ...]

Each client, all at the same time, with a group of its own:
  - reads a topic with a group to its end and commits; a second start reads what came after and nothing else;
  - as two members shares the partitions, and the one that stays takes over those of the one that leaves;
  - lists and describes its group and what it committed;
  - on the embedded broker, is refused a transaction at once, with the reason.
"""

import concurrent.futures
import os
import pathlib
import queue
import re
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
PARTITIONS = 4
FIRST, SECOND = 100, 20
# Generous: a busy machine starts a dozen clients at once.
PATIENCE_S = 120
REFUSED_WITHIN_S = 60


class Wrong(Exception):
    pass


class Process:
    """A client that runs: its lines as they come."""

    def __init__(self, command, environment=None):
        self.command = command
        self.started = time.monotonic()
        self.child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, **(environment or {})})
        self.lines = queue.Queue()
        self.seen = []
        threading.Thread(target=self.pump, daemon=True).start()

    def pump(self):
        for line in self.child.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def drain(self):
        """Lines that came since the last time; whether the process has ended."""
        while True:
            try:
                line = self.lines.get_nowait()
            except queue.Empty:
                return False
            if line is None:
                self.lines.put(None)
                return True
            self.seen.append(line)

    def end(self, within_s=PATIENCE_S, wanted=0):
        """Waits for its end, and returns all its lines."""
        try:
            code = self.child.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Wrong(f"{self.command} does not end within {within_s} s:\n" + "\n".join(self.seen[-30:])) from None
        until = time.monotonic() + 10
        while not self.drain() and time.monotonic() < until:
            time.sleep(0.01)
        if wanted is not None and code != wanted:
            raise Wrong(f"{self.command} ended with {code}:\n" + "\n".join(self.seen[-30:]))
        return self.seen

    def close_input(self):
        self.child.stdin.close()

    def kill(self):
        self.child.kill()
        self.child.wait()
        self.drain()


class Client:
    """A client with a program of the common form."""

    def __init__(self, name, program, broker):
        self.name, self.program, self.broker = name, program, broker

    def start(self, command, *arguments):
        return Process([*self.program, command, self.broker, *map(str, arguments)])

    def read(self, topic, group, count):
        lines = self.start("read", topic, group, count).end()
        found = [line.split() for line in lines if line.startswith("record ")]
        return [(int(partition), int(offset)) for _, partition, offset in found]

    def member(self, topic, group):
        return self.start("share", topic, group)

    def assigned(self, member):
        """The partitions that a member has now; None before its first rebalance."""
        member.drain()
        found = [line.split()[1:] for line in member.seen if line.startswith("assigned")]
        return {int(partition) for partition in found[-1]} if found else None

    def leave(self, member):
        member.close_input()
        member.end(wanted=None)

    def groups(self, group):
        lines = self.start("groups", group).end()
        state = next(line.split()[1] for line in lines if line.startswith("state "))
        committed = next(int(line.split()[1]) for line in lines if line.startswith("committed "))
        return "listed" in lines, state, committed

    def transact(self, topic):
        lines = self.start("transact", topic).end(REFUSED_WITHIN_S)
        return "\n".join(line for line in lines if line.startswith(("refused", "begun")))


class Java(Client):
    """Kafka's own console tools."""

    TOOLS = "org.apache.kafka.tools."

    def tool(self, name, *arguments):
        java = ["java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{self.program}/*",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=info"]
        return Process([*java, self.TOOLS + name, "--bootstrap-server", self.broker, *map(str, arguments)])

    def consumer(self, topic, group, *arguments):
        settings = ["session.timeout.ms=10000", "heartbeat.interval.ms=1000", "auto.offset.reset=earliest"]
        properties = [word for setting in settings for word in ("--consumer-property", setting)]
        return self.tool("consumer.ConsoleConsumer", "--topic", topic, "--group", group, "--property",
                         "print.partition=true", "--property", "print.offset=true", *properties, *arguments)

    def read(self, topic, group, count):
        lines = self.consumer(topic, group, "--max-messages", count).end()
        found = [re.match(r"Partition:(\d+)\tOffset:(\d+)\t", line) for line in lines]
        return [(int(match[1]), int(match[2])) for match in found if match]

    def member(self, topic, group):
        return self.consumer(topic, group)

    def assigned(self, member):
        member.drain()
        found = [line for line in member.seen if "Adding newly assigned partitions" in line]
        return {int(part) for part in re.findall(r"-(\d+)\b(?=[,\s]|$)", found[-1].split("partitions:")[1])} if found else None

    def leave(self, member):
        member.child.terminate()
        member.end(wanted=None)

    def groups(self, group):
        tool = "consumer.group.ConsumerGroupCommand"
        listed = group in self.tool(tool, "--list").end()
        state = self.tool(tool, "--describe", "--group", group, "--state").end()
        offsets = self.tool(tool, "--describe", "--group", group).end()
        rows = [line.split() for line in offsets if line.startswith(group + " ")]
        found = next(line for line in state if line.startswith(group + " "))
        return listed, next(word for word in ("Empty", "Stable", "Dead") if word in found), sum(int(row[3]) for row in rows)

    def transact(self, topic):
        java = ["java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{self.program}/*",
                self.TOOLS + "ProducerPerformance", "--topic", topic, "--num-records", "1", "--record-size", "10",
                "--throughput", "-1", "--transactional-id", "t", "--transaction-duration-ms", "10",
                "--producer-props", f"bootstrap.servers={self.broker}", "max.block.ms=60000"]
        lines = Process(java).end(REFUSED_WITHIN_S, wanted=None)
        return "\n".join("refused " + line for line in lines if "TransactionalIdAuthorization" in line) or "\n".join(lines)


def until(what, condition, *processes):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        ended = [process for process in processes if process.child.poll() is not None]
        if ended or time.monotonic() > deadline:
            shown = "\n--\n".join("\n".join(process.seen[-15:]) for process in processes)
            raise Wrong(f"{'a member ended' if ended else 'in vain'}, waiting until {what}:\n{shown}")
        time.sleep(0.05)


def check(is_right, what):
    if not is_right:
        raise Wrong(what)


def reads_and_resumes(client, topic, fill):
    first = client.read(topic, f"read-{client.name}-{os.getpid()}", FIRST)
    each = FIRST // PARTITIONS
    check(sorted(first) == [(p, o) for p in range(PARTITIONS) for o in range(each)], f"the first start read {first}")
    fill()
    second = client.read(topic, f"read-{client.name}-{os.getpid()}", SECOND)
    more = [(p, each + o) for p in range(PARTITIONS) for o in range(SECOND // PARTITIONS)]
    check(sorted(second) == more, f"the second start read {second}")


def shares_and_hands_over(client, topic):
    group, everything = f"share-{client.name}-{os.getpid()}", set(range(PARTITIONS))
    first = second = None
    try:
        first = client.member(topic, group)
        until("the first member has all", lambda: client.assigned(first) == everything, first)
        second = client.member(topic, group)

        def is_shared():
            one, other = client.assigned(first), client.assigned(second)
            return bool(one and other) and one | other == everything and not one & other

        until("two members share", is_shared, first, second)
        client.leave(first)
        until("the second member has all", lambda: client.assigned(second) == everything, second)
        client.leave(second)
    finally:
        for member in (first, second):
            if member is not None and member.child.poll() is None:
                member.kill()


def is_described(client):
    listed, state, committed = client.groups(f"read-{client.name}-{os.getpid()}")
    check(listed, "its group is not listed")
    check(state.upper() == "EMPTY", f"its group is {state}, not empty")
    check(committed == FIRST + SECOND, f"its group committed {committed}")


def is_refused_transactions(client, topic):
    begun = time.monotonic()
    said = client.transact(topic)
    check(said.startswith("refused") and "ransactional" in said, f"a transaction was not refused with its reason: {said}")
    return time.monotonic() - begun


def conduct(client, is_embedded, helper):
    """Everything that one client does; what it prints in the end."""
    begun = time.monotonic()
    topic = f"clients-{client.name}-{os.getpid()}"
    made = helper.start("create", topic, PARTITIONS, 1).end()
    check("made" in made, f"no topic: {made}")

    def fill(count):
        lines = helper.start("fill", topic, PARTITIONS, count).end()
        check("filled" in lines, f"nothing was produced: {lines}")

    fill(FIRST)
    reads_and_resumes(client, topic, lambda: fill(SECOND))
    shares_and_hands_over(client, topic)
    is_described(client)
    refused = f", refused a transaction after {is_refused_transactions(client, topic):.1f} s" if is_embedded else ""
    return f"read, resumed, shared, handed over, described{refused}: {time.monotonic() - begun:.0f} s"


def main():
    broker, kind, folder, *wanted = sys.argv[1:]
    folder = pathlib.Path(folder)

    def python(name, program):
        return [str(folder / name / "bin/python"), "-u", str(HERE / "python" / program)]

    clients = [
        Java("java", folder / "java", broker),
        Client("kafka-python-2", python("kafka-python-2", "kafka_python.py"), broker),
        Client("kafka-python-3", python("kafka-python-3", "kafka_python.py"), broker),
        Client("confluent-kafka", python("confluent-kafka", "confluent.py"), broker),
        Client("aiokafka", python("aiokafka", "aio.py"), broker),
        Client("kafkajs", ["node", str(HERE / "node/kafkajs.cjs")], broker),
        Client("franz-go", [str(folder / "franz-go/franz")], broker),
    ]
    os.environ["NODE_PATH"] = str(folder / "kafkajs/node_modules")
    helper = next(client for client in clients if client.name == "confluent-kafka")
    chosen = [client for client in clients if not wanted or client.name in wanted]
    is_embedded = kind == "embedded"
    passed = failed = 0
    refused = helper.start("create", "copies", 1, 3).end()
    if any(line.startswith("refused INVALID_REPLICATION_FACTOR") for line in refused):
        passed += 1
        print(f"{kind}: a topic of three copies is {refused[-1]}", flush=True)
    else:
        failed += 1
        print(f"{kind}: a topic of three copies is not refused: {refused}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(len(chosen)) as pool:
        running = {pool.submit(conduct, client, is_embedded, helper): client for client in chosen}
        for done in concurrent.futures.as_completed(running):
            try:
                print(f"{kind}: {running[done].name}: {done.result()}", flush=True)
                passed += 1
            # Also what is wrong with this program: the other clients' results are still wanted.
            except Exception as wrong:
                print(f"{kind}: {running[done].name} FAILED: {type(wrong).__name__}: {wrong}", flush=True)
                failed += 1
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
