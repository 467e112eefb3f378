import { expect, it } from '@jest/globals';
import { Gathered } from './gathered.js';

const doubled = () => {
  const asked: (readonly number[])[] = [];
  return { asked, ask: (questions: readonly number[]) => { asked.push([...questions]); return Promise.resolve(questions.map((question) => question * 2)); } };
};

it('asks at once what is put within a while, and gives each their own answer', async () => {
  const [gathered, { asked, ask }] = [new Gathered<number, number>({ gatherMs: 20, max: 10 }), doubled()];
  expect(await Promise.all([1, 2, 3].map((question) => gathered.ask('a', question, ask)))).toEqual([2, 4, 6]);
  expect(asked).toEqual([[1, 2, 3]]);
  expect(await gathered.ask('a', 4, ask)).toBe(8);
  expect(asked).toEqual([[1, 2, 3], [4]]);
});

it('keeps apart what has another key, and asks no more than so many at once', async () => {
  const [gathered, { asked, ask }] = [new Gathered<number, number>({ gatherMs: 20, max: 2 }), doubled()];
  expect(await Promise.all([gathered.ask('a', 1, ask), gathered.ask('b', 2, ask), gathered.ask('a', 3, ask), gathered.ask('a', 4, ask)])).toEqual([2, 4, 6, 8]);
  expect(asked.map((each) => [...each].sort())).toEqual(expect.arrayContaining([[1, 3], [2], [4]]));
});

it('tells all of trouble, and an answer that is missing is trouble', async () => {
  const gathered = new Gathered<number, number>({ gatherMs: 5, max: 10 });
  const troubled = await Promise.allSettled([1, 2].map((question) => gathered.ask('a', question, () => Promise.reject(new Error('no')))));
  expect(troubled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await expect(Promise.all([1, 2].map((question) => gathered.ask('b', question, () => Promise.resolve([2]))))).rejects.toThrow('without an answer');
});
