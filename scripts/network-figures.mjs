// Reads a capture of loopback (pcap, Ethernet, IPv4) and prints what the parts of a laboratory sent.
// node scripts/network-figures.mjs devices|fleet FILE BROKER_PORT RADIO_PORT SECONDS
import { readFileSync } from "node:fs";

const [what, file, brokerPort, radioPort, seconds] = process.argv.slice(2);
const bytes = readFileSync(file);
const ETHERNET_HEAD = 14;
const PACKET_HEAD = 16;
const FILE_HEAD = 24;

/** Every packet: its protocol, ports, the length of its payload and of the IP packet. */
function* packets() {
  for (let at = FILE_HEAD; at + PACKET_HEAD <= bytes.length; ) {
    const captured = bytes.readUInt32LE(at + 8);
    const ip = at + PACKET_HEAD + ETHERNET_HEAD;
    at += PACKET_HEAD + captured;
    if (bytes[ip] >> 4 !== 4) continue;
    const head = (bytes[ip] & 15) * 4;
    const total = bytes.readUInt16BE(ip + 2);
    const transport = ip + head;
    const udp = bytes[ip + 9] === 17;
    const payload = total - head - (udp ? 8 : (bytes[transport + 12] >> 4) * 4);
    const data = bytes.subarray(transport + total - head - payload, Math.min(at, transport + total - head));
    yield { udp, from: bytes.readUInt16BE(transport), to: bytes.readUInt16BE(transport + 2), payload, total, data };
  }
}

const beacons = [];
let beaconPackets = 0;
let toBroker = 0;
let toBrokerPackets = 0;
let fromBroker = 0;
const reports = new Map();
for (const packet of packets()) {
  if (packet.udp && packet.to === Number(radioPort)) {
    beacons.push(packet.payload);
    beaconPackets += packet.total + ETHERNET_HEAD;
  } else if (packet.to === Number(brokerPort)) {
    toBroker += packet.payload;
    toBrokerPackets += packet.total + ETHERNET_HEAD;
    // A report is the JSON of one record; what a segment holds whole is counted.
    for (const [report] of packet.data.toString("latin1").matchAll(/\{"uuid":[^{}]*(?:\{[^{}]*\}[^{}]*)*\}/g)) {
      const contacts = (report.match(/"uuid"/g)?.length ?? 1) - 1;
      const sizes = reports.get(contacts) ?? [];
      sizes.push(report.length);
      reports.set(contacts, sizes);
    }
  } else if (packet.from === Number(brokerPort)) {
    fromBroker += packet.total + ETHERNET_HEAD;
  }
}

const mb = (n) => `${(n / 1e6).toFixed(2)} MB`;
const range = (sizes) => `${Math.min(...sizes)} to ${Math.max(...sizes)} B (${sizes.length})`;
if (what === "devices") {
  console.log(`beacons: ${range(beacons)}; with UDP, IP and Ethernet heads ${42 + Math.min(...beacons)} to ${42 + Math.max(...beacons)} B`);
  for (const contacts of [...reports.keys()].sort((a, b) => a - b)) console.log(`reports with ${contacts} contacts: ${range(reports.get(contacts))}`);
}
console.log(`in ${seconds} s, heads included: radio ${mb(beaconPackets)}, to the broker ${mb(toBrokerPackets)} (payload ${mb(toBroker)}), its answers ${mb(fromBroker)}, all ${mb(beaconPackets + toBrokerPackets + fromBroker)}`);
