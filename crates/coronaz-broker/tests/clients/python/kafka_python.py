"""kafka-python, versions 2 and 3: see README.md for the commands."""

import sys
import threading

import kafka
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

IS_THREE = kafka.__version__.startswith("3.")


def consumer(broker, group, **settings):
    return KafkaConsumer(
        bootstrap_servers=broker, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False,
        session_timeout_ms=10_000, heartbeat_interval_ms=1_000, **settings)


def read(broker, topic, group, count):
    reader = consumer(broker, group)
    reader.subscribe([topic])
    left = int(count)
    while left > 0:
        for records in reader.poll(timeout_ms=1000, max_records=left).values():
            for record in records:
                print("record", record.partition, record.offset)
                left -= 1
    reader.commit()
    reader.close()


class Printer(kafka.ConsumerRebalanceListener):
    def on_partitions_revoked(self, revoked):
        pass

    def on_partitions_assigned(self, assigned):
        print("assigned", *sorted(partition.partition for partition in assigned), flush=True)


def share(broker, topic, group):
    reader = consumer(broker, group)
    reader.subscribe([topic], listener=Printer())
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    while not ended.is_set():
        reader.poll(timeout_ms=200)
    reader.close()


def groups(broker, group):
    admin = KafkaAdminClient(bootstrap_servers=broker)
    if IS_THREE:
        listed = [found["group_id"] for found in admin.list_groups()]
        state = admin.describe_groups([group])[group]["group_state"]
        offsets = admin.list_group_offsets([group])[group].values()
    else:
        listed = [name for name, _ in admin.list_consumer_groups()]
        state = admin.describe_consumer_groups([group])[0].state
        offsets = admin.list_consumer_group_offsets(group).values()
    if group in listed:
        print("listed")
    print("state", state)
    print("committed", sum(found.offset for found in offsets))
    admin.close()


def transact(broker, topic):
    producer = None
    try:
        producer = KafkaProducer(bootstrap_servers=broker, transactional_id="t", max_block_ms=60_000)
        producer.init_transactions()
        print("begun")
    except kafka.errors.KafkaError as error:
        print("refused", type(error).__name__, error)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
