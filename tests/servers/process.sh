# Runs a server, and ends it when standard input ends: when the process that holds its other end has
# ended, in whatever way. A line of standard input is a signal for the server. Ends with the server.
#
# Arguments: the paths to remove when standard input ends, one a line; the server's command.
litter=$1
shift

# The server must not hold the standard input open, nor read it.
exec 3<&0
"$@" </dev/null 3<&- &
server=$!

{
    while read -r signal; do
        kill -s "$signal" "$server"
    done
    # From here on it is not ended early, so that its status tells what happened.
    trap '' TERM
    kill -s KILL "$server"
    exit 0
} <&3 2>/dev/null &
keeper=$!
exec 3<&- </dev/null

wait "$server"
kill -s TERM "$keeper" 2>/dev/null
if wait "$keeper" 2>/dev/null; then
    set -f
    IFS='
'
    # shellcheck disable=SC2086 # one path a line
    rm -rf $litter
fi
