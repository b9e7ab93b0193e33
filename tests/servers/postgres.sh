#!/bin/sh
# Runs a PostgreSQL server on a port of 127.0.0.1, with its data in the current directory; with `durable` as its
# second argument, one whose commits reach the disk. With `--version`, tells which it is. Not as root, as it
# refuses that: as the user that its package has made.
set -eu

for bin in "$(pg_config --bindir 2>/dev/null || :)" /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin; do
    if [ -x "$bin/initdb" ] && [ -x "$bin/postgres" ]; then
        break
    fi
done
if [ "$1" = --version ]; then
    exec "$bin/postgres" --version
fi

as=""
if [ "$(id -u)" = 0 ]; then
    chown postgres .
    as="setpriv --reuid postgres --regid postgres --clear-groups"
fi
if ! [ -e data ]; then
    $as "$bin/initdb" --auth trust --username kinora --encoding UTF8 --locale C --no-sync --pgdata data
fi
if [ "${2:-}" = durable ]; then
    settings="-c max_connections=2000 -c shared_buffers=256MB"
else # What is lost when the system dies is lost with it.
    settings="-c fsync=off -c full_page_writes=off -c max_connections=300 -c shared_buffers=64MB"
fi
# shellcheck disable=SC2086 # several words
exec $as "$bin/postgres" -D data -c listen_addresses=127.0.0.1 -c port="$1" -c unix_socket_directories= $settings
