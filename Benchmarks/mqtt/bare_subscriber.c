// The least that a subscriber can do: libmosquitto's own loop, QoS 1, a persistent session, and a callback
// that drops what it gets. The yardstick for the gateway, which does the same and much more.
//
//     bare_subscriber PORT CLIENT_ID RECEIVE_MAXIMUM MESSAGES TOPIC_FILTER...
//
// Ends after MESSAGES messages and prints, as JSON, the wall time from the call of connect to the last message
// and the process's CPU time in between. With 0 messages it only makes the session: it subscribes and leaves.

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static long wanted, received;
static int filter_count;
static char **filters;

static double wall_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void check(int code, const char *what) {
  if (code == MOSQ_ERR_SUCCESS) return;
  fprintf(stderr, "bare_subscriber: %s: %s\n", what, mosquitto_strerror(code));
  exit(1);
}

static void on_connect(struct mosquitto *client, void *context, int code) {
  (void)context;
  if (code != 0) check(MOSQ_ERR_CONN_REFUSED, "connect");
  check(mosquitto_subscribe_multiple(client, NULL, filter_count, filters, 1, 0, NULL), "subscribe");
}

static void on_subscribe(struct mosquitto *client, void *context, int id, int count, const int *granted) {
  (void)context, (void)id, (void)count, (void)granted;
  if (wanted == 0) mosquitto_disconnect(client);
}

static void on_message(struct mosquitto *client, void *context, const struct mosquitto_message *message) {
  (void)context, (void)message;
  if (++received == wanted) mosquitto_disconnect(client);
}

int main(int count, char **arguments) {
  if (count < 6) return fprintf(stderr, "usage: see the file's first lines\n"), 64;
  wanted = atol(arguments[4]);
  filter_count = count - 5;
  filters = arguments + 5;

  mosquitto_lib_init();
  struct mosquitto *client = mosquitto_new(arguments[2], false, NULL);
  if (client == NULL) return 1;
  check(mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5), "protocol version");
  check(mosquitto_int_option(client, MOSQ_OPT_RECEIVE_MAXIMUM, atoi(arguments[3])), "receive maximum");
  check(mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1), "no delay");
  mosquitto_connect_callback_set(client, on_connect);
  mosquitto_subscribe_callback_set(client, on_subscribe);
  mosquitto_message_callback_set(client, on_message);
  mosquitto_property *properties = NULL;
  check(mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, 7 * 24 * 3600), "expiry");

  double wall = wall_seconds(), cpu = cpu_seconds();
  check(mosquitto_connect_bind_v5(client, "127.0.0.1", atoi(arguments[1]), 60, NULL, properties), "connect");
  int ended = mosquitto_loop_forever(client, -1, 1);
  wall = wall_seconds() - wall;
  cpu = cpu_seconds() - cpu;
  if (received < wanted) check(ended == MOSQ_ERR_SUCCESS ? MOSQ_ERR_CONN_LOST : ended, "receive");
  printf("{\"messages\": %ld, \"seconds\": %.6f, \"cpu_seconds\": %.6f}\n", received, wall, cpu);

  mosquitto_property_free_all(&properties);
  mosquitto_destroy(client);
  mosquitto_lib_cleanup();
  return 0;
}
