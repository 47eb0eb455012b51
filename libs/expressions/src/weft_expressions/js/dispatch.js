// The one function that the worker calls, with a text as `this`: a letter, then what belongs to it.

const OPERATIONS = {
  E: (body) => evaluateAll(parse(body)),
  L: (body) => {
    const end = body.indexOf('\n');
    install(body.slice(0, end), body.slice(end + 1));
    return '';
  },
  C: startCode,
  P: () => current.poll(),
  A: (body) => current.given(parse(body)),
  B: () => progress.buffer,
};

function dispatch() {
  return OPERATIONS[this[0]](this.slice(1));
}

harden();
return dispatch;
