// kafkajs: see README.md for the commands.
const { Kafka, logLevel } = require("kafkajs");

const [command, broker, ...rest] = process.argv.slice(2);
const kafka = new Kafka({ brokers: [broker], clientId: "kafkajs", logLevel: logLevel.NOTHING });
const settings = (groupId) => ({ groupId, sessionTimeout: 10000, heartbeatInterval: 1000, rebalanceTimeout: 20000 });

async function read(topic, group, count) {
  const reader = kafka.consumer(settings(group));
  await reader.connect();
  await reader.subscribe({ topics: [topic], fromBeginning: true });
  let left = Number(count);
  const next = new Map();
  await new Promise((resolve) => {
    reader.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => {
        if (left <= 0) return;
        console.log("record", partition, message.offset);
        next.set(partition, String(BigInt(message.offset) + 1n));
        left -= 1;
        if (left === 0) resolve();
      },
    });
  });
  await reader.commitOffsets([...next].map(([partition, offset]) => ({ topic, partition, offset })));
  await reader.disconnect();
}

async function share(topic, group) {
  const reader = kafka.consumer(settings(group));
  reader.on(reader.events.GROUP_JOIN, ({ payload }) => {
    const assigned = payload.memberAssignment[topic] ?? [];
    console.log(["assigned", ...[...assigned].sort()].join(" "));
  });
  await reader.connect();
  await reader.subscribe({ topics: [topic], fromBeginning: true });
  await reader.run({ eachMessage: async () => {} });
  await new Promise((resolve) => process.stdin.on("end", resolve).resume());
  await reader.disconnect();
}

async function groups(group) {
  const admin = kafka.admin();
  await admin.connect();
  const listed = await admin.listGroups();
  if (listed.groups.some((found) => found.groupId === group)) console.log("listed");
  const described = await admin.describeGroups([group]);
  console.log("state", described.groups[0].state);
  const offsets = await admin.fetchOffsets({ groupId: group });
  const all = offsets.flatMap((found) => found.partitions).map((found) => Number(found.offset));
  console.log("committed", all.reduce((sum, offset) => sum + offset, 0));
  await admin.disconnect();
}

async function transact() {
  const producer = kafka.producer({ transactionalId: "t", maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  try {
    await producer.transaction();
    console.log("begun");
  } catch (error) {
    console.log("refused", error.type ?? error.name, error.message);
  }
  await producer.disconnect();
}

const commands = { read, share, groups, transact };
commands[command](...rest).then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
