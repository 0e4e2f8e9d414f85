"""aiokafka: see README.md for the commands."""

import asyncio
import sys

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError


def consumer(broker, group):
    return AIOKafkaConsumer(
        bootstrap_servers=broker, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False,
        session_timeout_ms=10_000, heartbeat_interval_ms=1_000)


async def read(broker, topic, group, count):
    reader = consumer(broker, group)
    reader.subscribe([topic])
    await reader.start()
    for _ in range(int(count)):
        record = await reader.getone()
        print("record", record.partition, record.offset)
    await reader.commit()
    await reader.stop()


class Printer(ConsumerRebalanceListener):
    async def on_partitions_revoked(self, revoked):
        pass

    async def on_partitions_assigned(self, assigned):
        print("assigned", *sorted(partition.partition for partition in assigned), flush=True)


async def share(broker, topic, group):
    reader = consumer(broker, group)
    reader.subscribe([topic], listener=Printer())
    await reader.start()
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    while not ended.done():
        await reader.getmany(timeout_ms=200)
    await reader.stop()


async def groups(broker, group):
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    listed = await admin.list_consumer_groups()
    if any(found[0] == group for found in listed):
        print("listed")
    described = await admin.describe_consumer_groups([group])
    print("state", described[0].groups[0][2])
    offsets = await admin.list_consumer_group_offsets(group)
    print("committed", sum(found.offset for found in offsets.values()))
    await admin.close()


async def transact(broker, topic):
    producer = AIOKafkaProducer(bootstrap_servers=broker, transactional_id="t")
    try:
        await producer.start()
        await producer.begin_transaction()
        print("begun")
    except KafkaError as error:
        print("refused", type(error).__name__, error)
    finally:
        await producer.stop()


if __name__ == "__main__":
    asyncio.run(globals()[sys.argv[1]](*sys.argv[2:]))
