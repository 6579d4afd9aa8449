let turn = 0;
let ending = false;

/**
 * The number of this turn of the thread's event loop: all that comes in one round of input has one number.
 * Whoever allows each socket so much work in a turn starves neither the others nor the timers.
 */
export function currentTurn(): number {
  if (!ending) {
    ending = true;
    setImmediate(nextTurn); // runs when the round of input is over
  }
  return turn;
}

function nextTurn(): void {
  ending = false;
  turn++;
}
