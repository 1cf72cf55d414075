#!/bin/sh
# A CGI program, for fcgiwrap. See ../support/task.ts.
id=${QUERY_STRING#*-}
printf '%s\n' "$id" >> "$RUNS_LOG"
# fcgiwrap itself: it is what a client is connected to.
[ "${QUERY_STRING%%-*}" = die ] && kill -KILL $PPID
# fcgiwrap writes all of the body before it reads anything: so the answer waits.
if [ "${QUERY_STRING%%-*}" = echo ]; then
  body=$(mktemp)
  cat > "$body"
  printf 'Content-Type: text/plain\r\n\r\n'
  cat "$body"
  rm "$body"
else
  printf 'Content-Type: text/plain\r\n\r\n%s' "$id"
fi
