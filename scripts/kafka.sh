#!/bin/sh
# Apache Kafka for tests: one node (KRaft, no ZooKeeper) on loopback, fetched with Maven into a cache
# directory, never into the repository.
#
#   scripts/kafka.sh fetch                        fetch what is missing; prints the directory
#   scripts/kafka.sh start DIR [PORT [CPORT]]     start on 127.0.0.1:PORT (default 9092; the controller
#                                                 on CPORT, default PORT+1) with its data in DIR, wait
#                                                 until it answers, print "pid PID" and "bootstrap ADDR"
#                                                 With KAFKA_SECURE=1 also on PORT+2 with TLS and SCRAM
#                                                 (user and password "coronaz"): prints "secure ADDR", and
#                                                 DIR/client.settings holds what a client has to set
#   scripts/kafka.sh stop DIR                     stop the one that was started in DIR
#   scripts/kafka.sh kill DIR                     the same with SIGKILL
#
# Needs java 17 or later and, for fetching, mvn. Starting in a DIR that has data goes on with it.
set -eu

KAFKA_VERSION=${KAFKA_VERSION:-3.9.1}
SLF4J_VERSION=1.7.36
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/coronaz/kafka/$KAFKA_VERSION
LIBS=$CACHE/libs
HEAP=${KAFKA_HEAP:-512m}
WAIT_S=${KAFKA_WAIT_S:-90}

say() { echo "kafka.sh: $*" >&2; }
fail() { say "$*"; exit 1; }
usage() { sed -n '5,13s/^# *//p' "$0" >&2; exit 64; }

fetch() {
    [ -f "$CACHE/complete" ] && return 0
    command -v mvn >/dev/null || fail "mvn is needed to fetch Kafka $KAFKA_VERSION"
    mkdir -p "$CACHE"
    cat > "$CACHE/pom.xml" <<EOF
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>coronaz.test</groupId>
  <artifactId>kafka-node</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$KAFKA_VERSION</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>$SLF4J_VERSION</version></dependency>
  </dependencies>
</project>
EOF
    say "fetching Kafka $KAFKA_VERSION into $CACHE"
    mvn -B -q -f "$CACHE/pom.xml" dependency:copy-dependencies -DoutputDirectory="$LIBS" >&2 ||
        fail "mvn could not fetch Kafka $KAFKA_VERSION"
    : > "$CACHE/complete"
}

# The whole configuration of a node that holds nothing but one laboratory's topic.
properties() {
    cat <<EOF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$2
listeners=PLAINTEXT://127.0.0.1:$1,CONTROLLER://127.0.0.1:$2${SECURE:+,SECURE://127.0.0.1:$SECURE}
advertised.listeners=PLAINTEXT://127.0.0.1:$1${SECURE:+,SECURE://127.0.0.1:$SECURE}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL
inter.broker.listener.name=PLAINTEXT
log.dirs=$3/log
num.network.threads=2
num.io.threads=2
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
log.cleaner.enable=false
EOF
}

# A certificate for 127.0.0.1 that vouches for itself, for tests and nothing else.
secure() {
    if [ ! -f "$1/server.p12" ]; then
        keytool -genkeypair -alias kafka -keyalg EC -groupname secp256r1 -validity 3650 -dname CN=127.0.0.1 \
            -ext SAN=ip:127.0.0.1 -keystore "$1/server.p12" -storetype PKCS12 -storepass coronaz 2>/dev/null
        keytool -exportcert -rfc -alias kafka -keystore "$1/server.p12" -storepass coronaz \
            > "$1/ca.pem" 2>/dev/null
    fi
    cat > "$1/client.settings" <<EOF
security.protocol=sasl_ssl
ssl.ca.location=$1/ca.pem
sasl.mechanism=SCRAM-SHA-512
sasl.username=coronaz
sasl.password=coronaz
EOF
    cat >> "$1/server.properties" <<EOF
ssl.keystore.location=$1/server.p12
ssl.keystore.type=PKCS12
ssl.keystore.password=coronaz
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.secure.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
EOF
}

running() { [ -f "$1/pid" ] && kill -0 "$(cat "$1/pid")" 2>/dev/null; }

# Asks for the broker's API versions as a client does: it answers only when it serves.
answers() {
    java -Xmx64m -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=off -cp "$LIBS/*" \
        kafka.admin.BrokerApiVersionsCommand --bootstrap-server "$1" >/dev/null 2>&1
}

start() {
    dir=$1 port=${2:-9092}
    cport=${3:-$((port + 1))}
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    running "$dir" && fail "one is running already in $dir: pid $(cat "$dir/pid")"
    fetch
    SECURE=
    if [ -n "${KAFKA_SECURE:-}" ]; then SECURE=$((port + 2)); fi
    properties "$port" "$cport" "$dir" > "$dir/server.properties"
    if [ -n "$SECURE" ]; then secure "$dir"; fi
    if [ ! -f "$dir/log/meta.properties" ]; then
        id=$(java -Xmx64m -cp "$LIBS/*" kafka.tools.StorageTool random-uuid 2>/dev/null)
        java -Xmx64m -cp "$LIBS/*" kafka.tools.StorageTool format -t "$id" -c "$dir/server.properties" \
            ${SECURE:+--add-scram 'SCRAM-SHA-512=[name=coronaz,password=coronaz]'} \
            > "$dir/format.log" 2>&1 || fail "could not format $dir/log, see $dir/format.log"
    fi
    java "-Xms128m" "-Xmx$HEAP" -XX:+UseSerialGC -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
        -cp "$LIBS/*" kafka.Kafka "$dir/server.properties" > "$dir/kafka.log" 2>&1 < /dev/null &
    echo $! > "$dir/pid"
    waited=0
    until answers "127.0.0.1:$port"; do
        running "$dir" || fail "it ended while starting, see $dir/kafka.log"
        [ "$waited" -ge "$WAIT_S" ] && fail "no answer on 127.0.0.1:$port within $WAIT_S s, see $dir/kafka.log"
        waited=$((waited + 1))
        sleep 1
    done
    echo "pid $(cat "$dir/pid")"
    echo "bootstrap 127.0.0.1:$port"
    if [ -n "$SECURE" ]; then echo "secure 127.0.0.1:$SECURE"; fi
}

# Ends the process whose id stands in DIR/pid, by that id alone.
end() {
    signal=$1 dir=$2
    running "$dir" || { say "none is running in $dir"; rm -f "$dir/pid"; return 0; }
    pid=$(cat "$dir/pid")
    kill "-$signal" "$pid"
    waited=0
    while kill -0 "$pid" 2>/dev/null; do
        [ "$waited" -ge 300 ] && fail "pid $pid does not end"
        waited=$((waited + 1))
        sleep 0.1
    done
    rm -f "$dir/pid"
}

case "${1:-}" in
    fetch) fetch; echo "$CACHE" ;;
    start) [ $# -ge 2 ] || usage; shift; start "$@" ;;
    stop) [ $# -eq 2 ] || usage; end TERM "$2" ;;
    kill) [ $# -eq 2 ] || usage; end KILL "$2" ;;
    *) usage ;;
esac
