/* C, libfcgi: answers before it has read anything, where it is not asked to. See ../support/task.ts. */
#include <fcgiapp.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void note(const char *id) {
  char line[64];
  int length = snprintf(line, sizeof line, "%s\n", id);
  int file = open(getenv("RUNS_LOG"), O_WRONLY | O_APPEND | O_CREAT, 0644);
  if (write(file, line, length) != length) exit(1);
  close(file);
}

int main(void) {
  FCGX_Request request;
  FCGX_Init();
  FCGX_InitRequest(&request, 0, 0);
  while (FCGX_Accept_r(&request) == 0) {
    char query[64] = "";
    snprintf(query, sizeof query, "%s", FCGX_GetParam("QUERY_STRING", request.envp));
    char *id = strchr(query, '-');
    if (id == NULL) continue;
    *id++ = 0;
    note(id);
    if (strcmp(query, "die") == 0) kill(getpid(), SIGKILL);
    FCGX_PutS("Content-Type: text/plain\r\n\r\n", request.out);
    if (strcmp(query, "echo") == 0) {
      char buffer[8192];
      int length;
      while ((length = FCGX_GetStr(buffer, sizeof buffer, request.in)) > 0)
        FCGX_PutStr(buffer, length, request.out);
    } else {
      FCGX_PutS(id, request.out);
    }
    FCGX_Finish_r(&request);
  }
  return 0;
}
