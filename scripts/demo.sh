#!/usr/bin/env bash
# Shows stepgate at work: a private broker, the gateway and made-up devices, all on this machine and on
# the loopback interface alone. Stops what it started; leaves the tables, to look at.
#
# Fails unless the gateway took every published record, the verdicts add up, every verdict occurred and
# all checksums are right.
set -euo pipefail

stepgate=${STEPGATE:-.build/release/stepgate}
customers=${DEMO_CUSTOMERS:-200}
readings=${DEMO_READINGS:-60000}
rate=${DEMO_RATE:-8000}
folder=$(mktemp -d "${TMPDIR:-/tmp}/stepgate-demo.XXXXXX")
data=$folder/data
started=()

fail() {
  echo "demo: $*" >&2
  exit 1
}

stop_all() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
}
trap stop_all EXIT

# Waits up to ten seconds for a condition.
wait_for() {
  local what=$1 deadline=$((SECONDS + 10))
  shift
  until "$@" 2>/dev/null; do
    ((SECONDS < deadline)) || fail "$what did not happen within 10 s; see $folder"
    sleep 0.05
  done
}

accepts() { (exec 3<>"/dev/tcp/127.0.0.1/$1"); }

start_broker() {
  local try
  for try in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 20000))
    accepts "$port" 2>/dev/null && continue
    cat > "$folder/mosquitto.conf" <<EOF
listener $port 127.0.0.1
allow_anonymous true
max_queued_messages 0
max_inflight_messages 0
EOF
    mosquitto -c "$folder/mosquitto.conf" > "$folder/mosquitto.log" 2>&1 &
    started+=($!)
    wait_for "the broker's start" accepts "$port"
    return
  done
  fail "found no free port"
}

start_gateway() {
  cat > "$folder/stepgate.yaml" <<EOF
mqtt:
  port: $port
topics:
  step_trainer: "stedi/step_trainer/{serialNumber}"
storage:
  directory: $data
http:
  listen: 127.0.0.1:0
EOF
  "$stepgate" run --config "$folder/stepgate.yaml" --summary text > "$folder/summary" 2> "$folder/gateway.log" &
  gateway=$!
  started+=("$gateway")
  wait_for "the gateway's subscription" grep -q subscribed "$folder/gateway.log"
}

# The gateway's counts in one line.
counts() {
  local before
  before=$(grep -c ' received ' "$folder/gateway.log" || true)
  kill -USR1 "$gateway"
  wait_for "the gateway's answer" more_counts_than "$before"
  sed -n 's/.* received //p' "$folder/gateway.log" | tail -n 1
}

more_counts_than() { (($(grep -c ' received ' "$folder/gateway.log") > $1)); }

took_all() { [[ $(counts) == "$published records,"* ]]; }

publish() {
  "$stepgate" simulate --broker "127.0.0.1:$port" --customers "$customers" --readings "$readings" --rate "$rate" \
    2> "$folder/simulate.log" &
  local simulator=$!
  started+=("$simulator")
  while kill -0 "$simulator" 2>/dev/null; do
    echo "  received $(counts)"
    sleep 1
  done
  wait "$simulator" || fail "the simulator failed: $(cat "$folder/simulate.log")"
  published=$(sed -n 's/.*(\([0-9]*\) records).*/\1/p' "$folder/simulate.log")
  wait_for "the gateway taking all $published records" took_all
}

check_verdicts() {
  local verdict
  for verdict in consenting not_consenting stale trusted duplicate future unknown_customer no_consent \
    before_consent unknown_device no_accelerometer malformed oversized identity_mismatch; do
    grep -Eq "^$verdict .*[1-9]" "$folder/summary" || fail "no record was judged $verdict"
  done
}

start_broker
start_gateway
echo "A broker on 127.0.0.1:$port, the gateway, and $customers made-up customers that publish $readings readings:"
publish
echo "  received $(counts)"
echo
echo "The last curated rows (stepgate tail machine_learning_curated --lines 3):"
"$stepgate" tail machine_learning_curated --data "$data" --lines 3
echo
kill -TERM "$gateway"
wait "$gateway" || fail "the gateway ended with an error: $(tail -n 1 "$folder/gateway.log")"
cat "$folder/summary"
check_verdicts
"$stepgate" verify --data "$data" > "$folder/verify" || fail "verify found damage: $(cat "$folder/verify")"
echo
echo "Every verdict occurred, the sums balance, and all checksums are right. Look at the tables with:"
echo "  $stepgate tail machine_learning_curated --data $data"
