// libmosquitto and the MQTT 5 constants, as the system has them. Only Sources/Mosquitto imports this.
#include <mosquitto.h>
#include <mqtt_protocol.h>
