// What the C library can do for a process to be started, and Swift does not see.
#ifndef STEPGATE_SPAWN_H
#define STEPGATE_SPAWN_H

#include <spawn.h>

/// Has the process begin without the descriptors from `first` on. Returns an errno, or 0.
int spawn_close_from(posix_spawn_file_actions_t *actions, int first);

#endif
