#!/bin/sh
# Orders two videos of photos, waits for them, and downloads them to feed.mp4 and reel.mp4.
#
#   KINORA_URL=http://127.0.0.1:8080 API_KEY=... sh order.sh PHOTO...
#
# A photo is a file, or an http(s) URL. Needs curl 7.71 or later.
set -eu

url=${KINORA_URL:-http://127.0.0.1:8080}
url=${url%/}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
answer=$work/answer

fail() { # what went wrong
    printf '%s\n' "order.sh: $1" >&2
    exit 1
}

[ -n "${API_KEY:-}" ] || fail "API_KEY is not set"
[ $# -gt 0 ] || fail "which photos? Name files or URLs"
# In a file, because others on this machine can read the arguments of commands.
printf 'x-api-key: %s\n' "$API_KEY" >"$work/headers"

# The values of all text fields of this name in the answer, a line each.
texts() {
    awk -v key="\"$1\":\"" '{
        while (at = index($0, key)) {
            $0 = substr($0, at + length(key))
            match($0, /^([^"\\]|\\.)*/)
            text = substr($0, 1, RLENGTH)
            gsub(/\\"/, "\"", text)
            gsub(/\\\\/, "\\", text)
            print text
        }
    }' "$answer"
}

# Gives up on a connection without a byte for 90 seconds. Tries again, five times at most, if the service is busy
# (429 and 503: after its Retry-After), is being restarted, or the connection is cut.
get() {
    curl -sS --retry 5 --retry-all-errors --connect-timeout 10 --speed-limit 1 --speed-time 90 "$@"
}

# Sends a request to the API, and keeps its answer.
call() { # path, arguments of curl
    path=$1
    shift
    status=$(get -o "$answer" -w '%{http_code}' -H "@$work/headers" "$@" "$url$path") || exit 1
    case $status in 2??) return ;; esac
    detail=$(texts detail | head -n 1)
    fail "${detail:-$path answered $status}"
}

photos=
for photo; do
    case $photo in
    http://* | https://*) address=$(printf %s "$photo" | sed 's/[\\"]/\\&/g') ;;
    *)
        [ -r "$photo" ] || fail "$photo cannot be read"
        call /api/photos --data-binary "@$photo"
        address=$(texts url)
        ;;
    esac
    photos="$photos${photos:+, }\"$address\""
done

# A short video, for a quick first try. Without `duration` it has 30 seconds.
cat >"$work/order" <<END
{"photos": [$photos], "duration": 6,
 "outputs": [{"name": "feed", "aspect_ratio": "1:1"}, {"name": "reel", "aspect_ratio": "9:16"}]}
END
# The same order has the same key, so that sending it again makes no second video.
key=order-sh-$(cksum <"$work/order" | tr ' ' -)

# Each request waits for a minute; for an hour in all.
state=queued minutes=60
while [ "$minutes" -gt 0 ]; do
    minutes=$((minutes - 1))
    call /api/videos -H 'content-type: application/json' -H "idempotency-key: $key" -H 'prefer: wait=60' \
        --data-binary "@$work/order"
    state=$(texts state)
    case $state in queued | running) echo "$state" >&2 ;; *) break ;; esac
done
case $state in
done) ;;
failed | cancelled) fail "$(texts message | tail -n 1)" ;;
*) fail "the video is still $state; run this again to go on waiting" ;;
esac

texts name >"$work/names"
texts url | paste "$work/names" - | while read -r name address; do
    # Needs no key, and may be on another host.
    get -fL -o "$work/$name.mp4" "$address"
    mv "$work/$name.mp4" "$name.mp4"
    echo "$name.mp4"
done
