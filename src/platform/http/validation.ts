import { ValidationPipe, type ArgumentMetadata } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { Problem, type FieldError } from '../../shared/problem.js';
import { fieldPath } from './json-text.js';

const ERRORS_MAX = 50;

/** Checks what comes in against its DTO: no property more, none converted, and everything that is wrong told at once. */
export class StrictValidationPipe extends ValidationPipe {
  constructor() {
    super({
      whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true, transform: true, transformOptions: { enableImplicitConversion: false },
      stopAtFirstError: false, validationError: { target: false }, exceptionFactory: (errors) => validationFailed(errors.flatMap((error) => fieldErrors(error, []))),
    });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'body' && value !== undefined && !isPlainObject(value)) throw new Problem('validation_failed', 'The body must be a JSON object.');
    return await super.transform(value, metadata) as unknown;
  }
}

function isPlainObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function validationFailed(errors: FieldError[]): Problem {
  return new Problem('validation_failed', 'The request is not valid.', { errors: errors.slice(0, ERRORS_MAX) });
}

/** All that is wrong at a property and below it. The messages are rules; no value ever stands in them. */
function fieldErrors({ property, value, constraints = {}, children = [] }: ValidationError, path: readonly string[]): FieldError[] {
  const members = [...path, property];
  const field = fieldPath(members);
  const own = value === undefined && !('whitelistValidation' in constraints)
    ? Object.keys(constraints).slice(0, 1).map(() => ({ field, message: 'is required' }))
    : Object.entries(constraints).map(([name, message]) => ({ field, message: messageOf(name, message, property) }));
  return [...own, ...children.flatMap((child) => fieldErrors(child, members))];
}

/** class-validator says "amount must be …"; the field is told beside. */
function messageOf(name: string, message: string, property: string): string {
  if (name === 'whitelistValidation') return 'is not known';
  if (name === 'nestedValidation') return 'must be an object';
  return message.startsWith(`${property} `) ? message.slice(property.length + 1) : message;
}
