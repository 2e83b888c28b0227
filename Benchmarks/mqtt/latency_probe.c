// From publish to the row readable: publishes readings at a steady rate, tails the curated table, and writes
// how long each pair took.
//
//     latency_probe PORT TABLE_FOLDER DEVICES RATE WARM_UP_PAIRS PAIRS OUT
//
// Message 2j is an accelerometer reading, message 2j + 1 the step trainer reading that makes pair j with it;
// its distanceFromObject is j, by which the row is known. Customer d is customer.d@example.com and claims the
// serial number device-d; at the rates in use a device's readings are further apart than the join's tolerance.
//
// A pair's latency runs from the instant at which message 2j + 1 was due, whenever it was really sent: so a
// publisher that was held up does not hide the wait of those behind it ("coordinated omission"). Rows are
// looked for every POLL_NS, which is part of the latency. OUT gets a line a pair, microseconds.

#include <dirent.h>
#include <fcntl.h>
#include <mosquitto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { POLL_NS = 200 * 1000, GIVE_UP_S = 20, BUFFER_BYTES = 1 << 20 };

static const char *folder;
static long devices, rate, warm_up, pairs;
static int64_t start_ns;
static uint32_t *latency_us;
static atomic_long rows_seen;
static atomic_bool connected;

static int64_t now_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void fail(const char *what) {
  fprintf(stderr, "latency_probe: %s\n", what);
  exit(1);
}

static int64_t due_ns(long message) { return start_ns + message * 1000000000LL / rate; }

static void sleep_until(int64_t ns) {
  struct timespec until = {ns / 1000000000LL, ns % 1000000000LL};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

// MARK: Tailing

// A segment is named by the number of its first row, so the next one's name is known.
static int open_segment(long first_row) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%020ld.ndjson", folder, first_row);
  return open(path, O_RDONLY);
}

static void note_row(const char *line, int64_t ns) {
  const char *field = strstr(line, "\"distanceFromObject\":");
  if (field == NULL) fail("a row without distanceFromObject");
  long pair = atol(field + 21);
  if (pair < 0 || pair >= pairs) fail("a row of nobody's pair");
  int64_t us = (ns - due_ns(2 * pair + 1)) / 1000;
  latency_us[pair] = us < 1 ? 1 : (uint32_t)us;
  rows_seen++;
}

// Whole lines only; returns how many bytes of an unfinished line were kept.
static size_t note_rows(char *bytes, size_t count, int64_t ns) {
  char *line = bytes, *end;
  while ((end = memchr(line, '\n', bytes + count - line)) != NULL) {
    *end = 0;
    note_row(line, ns);
    line = end + 1;
  }
  size_t kept = bytes + count - line;
  memmove(bytes, line, kept);
  return kept;
}

static void *tail(void *context) {
  (void)context;
  static char bytes[BUFFER_BYTES];
  int file = -1;
  size_t kept = 0;
  while (rows_seen < pairs) {
    if (file < 0) file = open_segment(rows_seen);
    ssize_t count = file < 0 ? 0 : read(file, bytes + kept, sizeof bytes - kept);
    if (count < 0) fail("cannot read the table");
    if (count > 0) {
      kept = note_rows(bytes, kept + count, now_ns(CLOCK_MONOTONIC));
      continue;
    }
    int next = kept == 0 && file >= 0 && rows_seen > 0 ? open_segment(rows_seen) : -1;
    if (next >= 0) {
      close(file);
      file = next;
    } else {
      sleep_until(now_ns(CLOCK_MONOTONIC) + POLL_NS);
    }
  }
  return NULL;
}

// MARK: Publishing

static void on_connect(struct mosquitto *client, void *context, int code) {
  (void)client, (void)context;
  if (code != 0) fail("the broker refused the connection");
  connected = true;
}

static void publish(struct mosquitto *client, long message) {
  long pair = message / 2, device = pair % devices;
  static int64_t event_ms;
  if (message % 2 == 0) event_ms = now_ns(CLOCK_REALTIME) / 1000000;
  char topic[128], payload[256];
  int length;
  if (message % 2 == 0) {
    snprintf(topic, sizeof topic, "stedi/accelerometer/customer.%ld@example.com", device);
    length = snprintf(payload, sizeof payload,
      "{\"user\":\"customer.%ld@example.com\",\"timestamp\":%lld,\"x\":1.0,\"y\":-1.0,\"z\":0.0}", device,
      (long long)event_ms);
  } else {
    snprintf(topic, sizeof topic, "stedi/step_trainer/device-%ld", device);
    length = snprintf(payload, sizeof payload,
      "{\"sensorReadingTime\":%lld,\"serialNumber\":\"device-%ld\",\"distanceFromObject\":%ld}",
      (long long)event_ms, device, pair);
  }
  if (mosquitto_publish(client, NULL, topic, length, payload, 1, false) != MOSQ_ERR_SUCCESS) {
    fail("cannot publish");
  }
}

static struct mosquitto *connect_to(int port) {
  mosquitto_lib_init();
  struct mosquitto *client = mosquitto_new(NULL, true, NULL);
  if (client == NULL) fail("no memory");
  mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_max_inflight_messages_set(client, 0);
  mosquitto_connect_callback_set(client, on_connect);
  if (mosquitto_connect(client, "127.0.0.1", port, 60) != MOSQ_ERR_SUCCESS) fail("cannot connect");
  if (mosquitto_loop_start(client) != MOSQ_ERR_SUCCESS) fail("cannot start a thread");
  while (!connected) usleep(100);
  return client;
}

int main(int count, char **arguments) {
  if (count != 8) return fprintf(stderr, "usage: see the file's first lines\n"), 64;
  folder = arguments[2];
  devices = atol(arguments[3]);
  rate = atol(arguments[4]);
  warm_up = atol(arguments[5]);
  pairs = warm_up + atol(arguments[6]);
  latency_us = calloc(pairs, sizeof *latency_us);
  if (latency_us == NULL) fail("no memory");

  struct mosquitto *client = connect_to(atoi(arguments[1]));
  start_ns = now_ns(CLOCK_MONOTONIC) + 100000000;
  pthread_t tailing;
  if (pthread_create(&tailing, NULL, tail, NULL) != 0) fail("cannot start a thread");
  int64_t latest_ns = 0;
  for (long message = 0; message < 2 * pairs; message++) {
    sleep_until(due_ns(message));
    publish(client, message);
    int64_t late_ns = now_ns(CLOCK_MONOTONIC) - due_ns(message);
    if (message >= 2 * warm_up && late_ns > latest_ns) latest_ns = late_ns;
  }
  int64_t deadline_ns = now_ns(CLOCK_MONOTONIC) + GIVE_UP_S * 1000000000LL;
  while (rows_seen < pairs) {
    if (now_ns(CLOCK_MONOTONIC) > deadline_ns) fail("not every pair became a row");
    usleep(1000);
  }
  pthread_join(tailing, NULL);

  FILE *out = fopen(arguments[7], "w");
  if (out == NULL) fail("cannot write the latencies");
  for (long pair = warm_up; pair < pairs; pair++) fprintf(out, "%u\n", latency_us[pair]);
  if (fclose(out) != 0) fail("cannot write the latencies");
  printf("{\"pairs\": %ld, \"publisher_behind_ms\": %.3f}\n", pairs - warm_up, latest_ns / 1e6);
  return 0;
}
