// Publishes the lines of a file at QoS 1, as fast as the broker takes them, and ends when all are acknowledged.
//
//     publisher PORT FILE
//
// A line is a topic, a tab and a payload. Fewer than WINDOW messages are unacknowledged at any time.

#include <mosquitto.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WINDOW = 1000 };

static atomic_long acknowledged;
static atomic_bool connected, lost;

static void check(int code, const char *what) {
  if (code == MOSQ_ERR_SUCCESS) return;
  fprintf(stderr, "publisher: %s: %s\n", what, mosquitto_strerror(code));
  exit(1);
}

static void on_connect(struct mosquitto *client, void *context, int code) {
  (void)client, (void)context;
  if (code == 0) connected = true; else lost = true;
}

static void on_disconnect(struct mosquitto *client, void *context, int code) {
  (void)client, (void)context;
  if (code != 0) lost = true;
}

static void on_publish(struct mosquitto *client, void *context, int id) {
  (void)client, (void)context, (void)id;
  atomic_fetch_add(&acknowledged, 1);
}

// Sleeps until at most `open` messages are unacknowledged.
static void wait_for(long sent, long open) {
  while (sent - acknowledged > open) {
    if (lost) check(MOSQ_ERR_CONN_LOST, "publish");
    usleep(50);
  }
}

int main(int count, char **arguments) {
  if (count != 3) return fprintf(stderr, "usage: see the file's first lines\n"), 64;
  FILE *file = fopen(arguments[2], "r");
  if (file == NULL) return perror(arguments[2]), 74;

  mosquitto_lib_init();
  struct mosquitto *client = mosquitto_new(NULL, true, NULL);
  if (client == NULL) return 1;
  check(mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1), "no delay");
  check(mosquitto_max_inflight_messages_set(client, 0), "window");
  mosquitto_connect_callback_set(client, on_connect);
  mosquitto_disconnect_callback_set(client, on_disconnect);
  mosquitto_publish_callback_set(client, on_publish);
  check(mosquitto_connect(client, "127.0.0.1", atoi(arguments[1]), 60), "connect");
  check(mosquitto_loop_start(client), "start");
  while (!connected && !lost) usleep(100);

  char *line = NULL;
  size_t capacity = 0;
  ssize_t length;
  long sent = 0;
  while ((length = getline(&line, &capacity, file)) > 0) {
    if (line[length - 1] == '\n') line[--length] = 0;
    char *tab = strchr(line, '\t');
    if (tab == NULL) continue;
    *tab = 0;
    wait_for(sent, WINDOW - 1);
    check(mosquitto_publish(client, NULL, line, line + length - tab - 1, tab + 1, 1, false), "publish");
    sent++;
  }
  wait_for(sent, 0);
  mosquitto_disconnect(client);
  mosquitto_loop_stop(client, false);
  printf("{\"messages\": %ld}\n", sent);
  return 0;
}
