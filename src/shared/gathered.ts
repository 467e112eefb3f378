/** Asks several questions at once: those that come within a short while of the first, and mean the same thing to ask about, are answered by one call that begins after all of them were put. */
export class Gathered<Question, Answer> {
  private readonly waiting = new Map<string, { questions: Question[]; answers: Promise<readonly Answer[]> }>();

  constructor(private readonly options: { gatherMs: number; max: number }) {}

  /** The answer to one question. `ask` is called once for all that gathered under the key; its answers are in the order of the questions. What it throws, all get. */
  async ask(key: string, question: Question, ask: (questions: readonly Question[]) => Promise<readonly Answer[]>): Promise<Answer> {
    const open = this.waiting.get(key) ?? this.begin(key, ask);
    const place = open.questions.push(question) - 1;
    if (open.questions.length >= this.options.max) this.waiting.delete(key);
    const answers = await open.answers;
    if (place >= answers.length) throw new RangeError('a question was left without an answer');
    return answers[place] as Answer;
  }

  private begin(key: string, ask: (questions: readonly Question[]) => Promise<readonly Answer[]>) {
    const questions: Question[] = [];
    const answers = new Promise((resolve) => { setTimeout(resolve, this.options.gatherMs); }).then(() => {
      if (this.waiting.get(key) === open) this.waiting.delete(key);
      return ask(questions);
    });
    const open = { questions, answers };
    this.waiting.set(key, open);
    return open;
  }
}
