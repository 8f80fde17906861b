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
def match($re): _matches($re)[];
def match($re; $flags): _matches($re; $flags)[];
def _named: reduce (.captures[] | select(.name != null)) as $group ({}; .[$group.name] = $group.string);
def capture($re): match($re) | _named;
def capture($re; $flags): match($re; $flags) | _named;
def scan($re): scan($re; null);
def scan($re; $flags): match($re; "g" + $flags) | if .captures == [] then .string else [.captures[].string] end;
def split($re; $flags): _edits($re; "g" + $flags) | [.edits[][0], .tail];
def splits($re): splits($re; null);
def splits($re; $flags): split($re; $flags)[];
def sub($re; filling): sub($re; filling; "");
def sub($re; filling; $flags): . as $text
  | _edits($re; $flags) as {$edits, $tail}
  | [$edits[] | [.[1] | _named | filling]] as $fillings
  | ($fillings | map(length) | max // 0) as $outputs
  | if $outputs == 0 then $text
    else range($outputs) as $i | [range($edits | length) as $k | $edits[$k][0] + $fillings[$k][$i]] | join("") + $tail end;
def gsub($re; filling): sub($re; filling; "g");
def gsub($re; filling; $flags): sub($re; filling; $flags + "g");
def toarray: if type == "array" then . else [.] end;
`;
