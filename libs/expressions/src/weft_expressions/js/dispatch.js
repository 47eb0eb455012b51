// The one function that the worker calls: a letter, then its text.

const OPERATIONS = {
  E: (body) => evaluateAll(parse(body)),
  L: (body) => {
    const end = body.indexOf('\n');
    install(body.slice(0, end), body.slice(end + 1));
    return '';
  },
  C: startCode,
  P: () => current.poll(),
  B: () => progress.buffer,
};

function dispatch(message) {
  return OPERATIONS[message[0]](message.slice(1));
}

harden();
return dispatch;
