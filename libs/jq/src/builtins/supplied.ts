/** Builtins written in jq itself: those that are rare, or short in terms of others. */
export const SUPPLIED_TEXT = `
def first: .[0];
def last: .[-1];
def nth($n): .[$n];
def in(container): . as $key | container | has($key);
def inside(whole): . as $part | whole | contains($part);
def paths: path(..) | select(. != []);
def paths(keep): . as $root | paths | select(. as $place | $root | getpath($place) | keep);
def leaf_paths: paths(scalars);
def pick(places): . as $root | reduce path(places) as $place (null; setpath($place; $root | getpath($place)));
def todate: todateiso8601;
def fromdate: fromdateiso8601;
def date: todate;
def dateadd($unit; $amount): . + $amount;
def datesub($unit; $amount): . - $amount;
def combinations: if . == [] then [] else .[0][] as $head | (.[1:] | combinations) as $tail | [$head] + $tail end;
def combinations($n): [range($n) as $i | .] | combinations;
def IN(stream): any(stream == .; .);
def IN(source; stream): any(source == stream; .);
def INDEX(stream; key): reduce stream as $row ({}; .[$row | key | tostring] = $row);
def INDEX(key): INDEX(.[]; key);
def JOIN($index; key): [.[] | [., $index[key]]];
def JOIN($index; stream; key): stream | [., $index[key]];
def JOIN($index; stream; key; combine): stream | [., $index[key]] | combine;
def truncate_stream(events): . as $depth | null | events | select(.[0] | length > $depth) | .[0] |= .[$depth:];
def recurse_down: recurse;
def toarray: if type == "array" then . else [.] end;
`;
