"""confluent-kafka (librdkafka): see README.md for the commands."""

import sys
import threading
import time

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic


def consumer(broker, group):
    return Consumer({
        "bootstrap.servers": broker, "group.id": group, "auto.offset.reset": "earliest",
        "enable.auto.commit": False, "session.timeout.ms": 10_000, "heartbeat.interval.ms": 1_000,
        # Another assignor than the others use: opaque to the broker.
        "partition.assignment.strategy": "cooperative-sticky"})


def read(broker, topic, group, count):
    reader = consumer(broker, group)
    reader.subscribe([topic])
    left = int(count)
    while left > 0:
        record = reader.poll(1.0)
        if record is not None and record.error() is None:
            print("record", record.partition(), record.offset())
            left -= 1
    reader.commit(asynchronous=False)
    reader.close()


def share(broker, topic, group):
    reader = consumer(broker, group)
    ended = threading.Event()
    reader.subscribe([topic])
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    before = None
    while not ended.is_set():
        reader.poll(0.2)
        assigned = sorted(partition.partition for partition in reader.assignment())
        if assigned != before:
            print("assigned", *assigned, flush=True)
            before = assigned
    reader.close()


def groups(broker, group):
    admin = AdminClient({"bootstrap.servers": broker})
    listed = admin.list_consumer_groups().result(30).valid
    if any(found.group_id == group for found in listed):
        print("listed")
    described = admin.describe_consumer_groups([group])[group].result(30)
    print("state", described.state.name)
    asked = ConsumerGroupTopicPartitions(group)
    offsets = admin.list_consumer_group_offsets([asked])[group].result(30).topic_partitions
    print("committed", sum(found.offset for found in offsets))


def transact(broker, topic):
    producer = Producer({"bootstrap.servers": broker, "transactional.id": "t"})
    try:
        producer.init_transactions(60)
        print("begun")
    except KafkaException as error:
        print("refused", error.args[0].name(), error.args[0].str())


def create(broker, topic, partitions, copies):
    """Makes a topic, for all clients; `copies` that there are no brokers for are refused."""
    admin = AdminClient({"bootstrap.servers": broker})
    made = admin.create_topics([NewTopic(topic, int(partitions), int(copies))], operation_timeout=30)
    try:
        made[topic].result(30)
        print("made")
    except KafkaException as error:
        print("refused", error.args[0].name(), error.args[0].str())


def fill(broker, topic, partitions, count):
    """Produces records, as many to each partition."""
    producer = Producer({"bootstrap.servers": broker})
    failed = []
    for number in range(int(count)):
        producer.produce(topic, value=str(number), partition=number % int(partitions),
                         on_delivery=lambda error, _: failed.append(error) if error else None)
    until = time.monotonic() + 60
    while producer.flush(1) and time.monotonic() < until:
        pass
    print("filled" if not failed else f"failed {failed[0]}")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
