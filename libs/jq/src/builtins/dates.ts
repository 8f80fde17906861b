/** Builtins over dates. All of them are in UTC: the local time zone would make an expression depend on the machine. */
import type { Json } from '@weft/kernel';
import type { Meter } from '../budget.js';
import { raise } from '../failure.js';
import { isArray, takeText } from '../value.js';
import { values, type BuiltinEntry } from './define.js';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const DAY_MS = 86_400_000;
const TIME_MS_MAX = 8.64e15;
const ISO = '%Y-%m-%dT%H:%M:%SZ';
/** Characters one directive may become, at most; charged before the work. */
const DIRECTIVE_GROWTH = 32;

/** Broken-down time, fields as in C's struct tm but for the year, which is whole. */
interface Time {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  weekday: number;
  yearday: number;
}

export const DATES: readonly BuiltinEntry[] = [
  values('now/0', (meter) => (meter.now === undefined ? raise('now has no value here, as no instant was given') : meter.now / 1000)),
  values('gmtime/0', (_meter, input) => toList(timeOf(input, 'gmtime'))),
  values('localtime/0', (_meter, input) => toList(timeOf(input, 'localtime'))),
  values('mktime/0', (_meter, input) => {
    if (!isArray(input)) return raise('mktime requires array inputs');
    return secondsOf(fromList(input, 'mktime'));
  }),
  values('strftime/1', (meter, input, format) => formatted(meter, input, format!, 'strftime/1')),
  values('strflocaltime/1', (meter, input, format) => formatted(meter, input, format!, 'strflocaltime/1')),
  values('strptime/1', (meter, input, format) => {
    if (typeof input !== 'string' || typeof format !== 'string') return raise('strptime/1 requires string inputs and arguments');
    return toList(parsed(meter, input, format));
  }),
  values('todateiso8601/0', (meter, input) => formatted(meter, input, ISO, 'strftime/1')),
  values('fromdateiso8601/0', (meter, input) => {
    if (typeof input !== 'string') return raise('strptime/1 requires string inputs and arguments');
    return secondsOf(parsed(meter, input, ISO));
  }),
];

function timeOf(input: Json, name: string): Time {
  if (typeof input !== 'number') return raise(`${name} requires a number`);
  const ms = Math.floor(input) * 1000;
  if (!(Math.abs(ms) <= TIME_MS_MAX)) return raise('error converting number of seconds since epoch to datetime');
  const time = civil(ms);
  time.second += input - Math.floor(input);
  return time;
}

function civil(ms: number): Time {
  const date = new Date(ms);
  const year = date.getUTCFullYear();
  return {
    year,
    month: date.getUTCMonth(),
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    weekday: date.getUTCDay(),
    yearday: Math.floor((ms - utc(year, 0, 1, 0, 0, 0)) / DAY_MS),
  };
}

/** Milliseconds of a date whose fields may be out of range. `Date.UTC` alone takes years 0 to 99 for 1900 to 1999. */
function utc(year: number, month: number, day: number, hour: number, minute: number, second: number): number {
  const date = new Date(Date.UTC(2000, month, day, hour, minute, second));
  return date.setUTCFullYear(date.getUTCFullYear() - 2000 + year);
}

function toList(time: Time): Json {
  return [time.year, time.month, time.day, time.hour, time.minute, time.second, time.weekday, time.yearday];
}

function fromList(list: readonly Json[], name: string): Time {
  const fields = list.slice(0, 8).map((field) => (typeof field === 'number' ? field : raise(`${name} requires parsed datetime inputs`)));
  const [year = 0, month = 0, day = 1, hour = 0, minute = 0, second = 0] = fields.map(Math.floor);
  const ms = utc(year, month, day, hour, minute, second);
  if (!(Math.abs(ms) <= TIME_MS_MAX)) return raise(`${name} requires parsed datetime inputs`);
  return civil(ms);
}

function secondsOf(time: Time): number {
  return Math.floor(utc(time.year, time.month, time.day, time.hour, time.minute, time.second) / 1000);
}

function formatted(meter: Meter, input: Json, format: Json, name: string): string {
  if (!isArray(input) && typeof input !== 'number') return raise(`${name} requires parsed datetime inputs`);
  if (typeof format !== 'string') return raise(`${name} requires a string format`);
  const time = isArray(input) ? fromList(input, name) : timeOf(input, name);
  meter.work(format.length >> 2);
  takeText(meter, format.length * DIRECTIVE_GROWTH);
  return format.replace(/%[^]/g, (directive) => field(time, directive[1]!) ?? directive);
}

function padded(value: number, width = 2, fill = '0'): string {
  return String(Math.floor(value)).padStart(width, fill);
}

/** One directive of strftime, in the C locale. Source: POSIX, strftime. */
function field(time: Time, directive: string): string | undefined {
  const all = (...parts: string[]): string => parts.map((part) => (part.length === 1 && /[A-Za-z]/.test(part) ? field(time, part)! : part)).join('');
  const hour12 = time.hour % 12 === 0 ? 12 : time.hour % 12;
  switch (directive) {
    case 'Y':
      return String(time.year);
    case 'C':
      return padded(time.year / 100);
    case 'y':
      return padded(((time.year % 100) + 100) % 100);
    case 'm':
      return padded(time.month + 1);
    case 'd':
      return padded(time.day);
    case 'e':
      return padded(time.day, 2, ' ');
    case 'H':
      return padded(time.hour);
    case 'k':
      return padded(time.hour, 2, ' ');
    case 'I':
      return padded(hour12);
    case 'l':
      return padded(hour12, 2, ' ');
    case 'M':
      return padded(time.minute);
    case 'S':
      return padded(time.second);
    case 'p':
      return time.hour < 12 ? 'AM' : 'PM';
    case 'P':
      return time.hour < 12 ? 'am' : 'pm';
    case 'j':
      return padded(time.yearday + 1, 3);
    case 'a':
      return DAYS[time.weekday]!.slice(0, 3);
    case 'A':
      return DAYS[time.weekday]!;
    case 'b':
    case 'h':
      return MONTHS[time.month]!.slice(0, 3);
    case 'B':
      return MONTHS[time.month]!;
    case 'u':
      return String(time.weekday === 0 ? 7 : time.weekday);
    case 'w':
      return String(time.weekday);
    case 'U':
      return padded((time.yearday + 7 - time.weekday) / 7);
    case 'W':
      return padded((time.yearday + 7 - ((time.weekday + 6) % 7)) / 7);
    case 'G':
      return String(isoWeek(time).year);
    case 'g':
      return padded(isoWeek(time).year % 100);
    case 'V':
      return padded(isoWeek(time).week);
    case 's':
      return String(secondsOf(time));
    case 'Z':
      return 'UTC';
    case 'z':
      return '+0000';
    case 'D':
    case 'x':
      return all('m', '/', 'd', '/', 'y');
    case 'F':
      return all('Y', '-', 'm', '-', 'd');
    case 'T':
    case 'X':
      return all('H', ':', 'M', ':', 'S');
    case 'R':
      return all('H', ':', 'M');
    case 'r':
      return all('I', ':', 'M', ':', 'S', ' ', 'p');
    case 'c':
      return all('a', ' ', 'b', ' ', 'e', ' ', 'T', ' ', 'Y');
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '%':
      return '%';
    default:
      return undefined;
  }
}

/** Week of the year that owns the Thursday of this week. Source: ISO 8601. */
function isoWeek(time: Time): { readonly year: number; readonly week: number } {
  const weekday = (time.weekday + 6) % 7;
  const thursday = civil(utc(time.year, time.month, time.day - weekday + 3, 0, 0, 0));
  return { year: thursday.year, week: Math.floor(thursday.yearday / 7) + 1 };
}

/** Reads a text by a format. Source: POSIX, strptime. */
function parsed(meter: Meter, text: string, format: string): Time {
  meter.work((text.length + format.length) >> 2);
  const time: Time = { year: 1900, month: 0, day: 1, hour: 0, minute: 0, second: 0, weekday: 0, yearday: 0 };
  const reader = new Reader(text, () => raise(`date ${JSON.stringify(text.slice(0, 100))} does not match format ${JSON.stringify(format.slice(0, 100))}`));
  reader.read(time, format);
  reader.end();
  const whole = civil(utc(time.year, time.month, time.day, time.hour, time.minute, time.second));
  return { ...time, weekday: whole.weekday, yearday: whole.yearday };
}

class Reader {
  private at = 0;
  private isAfternoon: boolean | undefined;

  constructor(
    private readonly text: string,
    private readonly mismatch: () => never,
  ) {}

  end(): void {
    if (this.at < this.text.length) this.mismatch();
  }

  read(time: Time, format: string): void {
    for (let i = 0; i < format.length; i++) {
      const character = format[i]!;
      if (/\s/.test(character)) this.match(/\s*/y);
      else if (character !== '%') this.literal(character);
      else this.directive(time, format[++i] ?? '');
    }
    if (this.isAfternoon !== undefined) time.hour = (time.hour % 12) + (this.isAfternoon ? 12 : 0);
  }

  private directive(time: Time, directive: string): void {
    switch (directive) {
      case 'Y':
        time.year = this.number(/[+-]?\d{1,4}/y, -9999, 9999);
        return;
      case 'y': {
        const year = this.number(/\d{1,2}/y, 0, 99);
        time.year = year + (year < 69 ? 2000 : 1900);
        return;
      }
      case 'm':
        time.month = this.number(/\d{1,2}/y, 1, 12) - 1;
        return;
      case 'd':
      case 'e':
        time.day = this.number(/ ?\d{1,2}/y, 1, 31);
        return;
      case 'j': {
        const date = civil(utc(time.year, 0, this.number(/\d{1,3}/y, 1, 366), 0, 0, 0));
        [time.month, time.day] = [date.month, date.day];
        return;
      }
      case 'H':
      case 'k':
        time.hour = this.number(/ ?\d{1,2}/y, 0, 23);
        return;
      case 'I':
      case 'l':
        time.hour = this.number(/ ?\d{1,2}/y, 1, 12);
        return;
      case 'M':
        time.minute = this.number(/\d{1,2}/y, 0, 59);
        return;
      case 'S':
        time.second = this.number(/\d{1,2}/y, 0, 60);
        return;
      case 'p':
        this.isAfternoon = this.match(/[AP]M/iy).toUpperCase() === 'PM';
        return;
      case 'a':
      case 'A':
        this.name(DAYS);
        return;
      case 'b':
      case 'B':
      case 'h':
        time.month = this.name(MONTHS);
        return;
      case 's':
        Object.assign(time, civil(this.number(/-?\d{1,12}/y, -1e12, 1e12) * 1000));
        return;
      case 'Z':
        this.match(/[A-Za-z]+/y);
        return;
      case 'z':
        this.match(/Z|[+-]\d{2}:?\d{2}/y);
        return;
      case 'T':
        return this.read(time, '%H:%M:%S');
      case 'R':
        return this.read(time, '%H:%M');
      case 'F':
        return this.read(time, '%Y-%m-%d');
      case 'D':
        return this.read(time, '%m/%d/%y');
      case 'c':
        return this.read(time, '%a %b %e %H:%M:%S %Y');
      case 'n':
      case 't':
        this.match(/\s*/y);
        return;
      case '%':
        return this.literal('%');
      default:
        this.mismatch();
    }
  }

  private literal(character: string): void {
    if (this.text[this.at] !== character) this.mismatch();
    this.at++;
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? this.mismatch();
    this.at += found.length;
    return found;
  }

  private number(pattern: RegExp, min: number, max: number): number {
    const value = Number(this.match(pattern));
    return value >= min && value <= max ? value : this.mismatch();
  }

  /** The position of a full or abbreviated name, in any case. */
  private name(names: readonly string[]): number {
    const rest = this.text.slice(this.at, this.at + 12).toLowerCase();
    for (const [i, name] of names.entries()) {
      const found = [name, name.slice(0, 3)].find((form) => rest.startsWith(form.toLowerCase()));
      if (found !== undefined) {
        this.at += found.length;
        return i;
      }
    }
    return this.mismatch();
  }
}
