/** @file The token: asked for once, kept in the tab, and forgotten. */
import { token } from './api.js';

const find = (id) => document.getElementById(id);

/** @param onToken is told that there is one. @param onNone that there is none any more. @returns asks for one; says why */
export function addLogin(onToken, onNone) {
  const ask = (complaint) => {
    find('page').hidden = true;
    find('forget').hidden = true;
    find('login').hidden = false;
    onNone(complaint);
    find('token').focus();
  };
  find('login').onsubmit = (event) => {
    event.preventDefault();
    token.set(find('token').value.trim());
    find('token').value = '';
    find('login').hidden = true;
    onToken();
  };
  find('forget').onclick = () => {
    token.forget();
    ask();
  };
  return ask;
}
