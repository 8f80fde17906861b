// A document read as a program of this package: what `fromDocument` carries out and `toTypeScript` prints.
import { objectOf, type Json, type JsonObject } from '@weft/kernel';
import { fieldsOf, namedPart, objectPart, partOf, type Field, type Part } from './part.js';
import { spotInDocument } from './places.js';
import { taskPart, tasksPart } from './task-part.js';

/** A workflow's name, what else its head says, and its tasks. */
export interface Program {
  readonly name: string;
  readonly head: Part;
  readonly tasks: Part;
}

const READING = { spot: spotInDocument };

/** Reads a document that is valid; the faults of another come up when it is built again. */
export function programOf(document: JsonObject): Program {
  const { document: identity, do: tasks, use, ...rest } = document;
  const { name, ...head } = objectOf(identity);
  const used: Field[] = use === undefined ? [] : [['use', objectPart(Object.entries(objectOf(use)).map(([section, value]): Field => [section, usePart(section, value)]))]];
  return { name: String(name), head: objectPart([...fieldsOf(head, ['document'], READING), ...fieldsOf(rest, [], READING), ...used]), tasks: tasksPart(tasks) };
}

function usePart(section: string, value: Json): Part {
  if (section === 'functions') return objectPart(Object.entries(objectOf(value)).map(([name, task]): Field => [name, taskPart(objectOf(task))]));
  return section === 'extensions' ? namedPart(value, extensionPart) : partOf(value, ['use', section], READING);
}

const extensionPart = (extension: JsonObject): Part =>
  objectPart(Object.entries(extension).map(([key, value]): Field => [key, key === 'before' || key === 'after' ? tasksPart(value) : partOf(value, ['use', 'extensions', key], READING)]));
