/** @file What is asked of runs: commands, another priority, other settings; and what becomes of refusals. */
import { ask } from './api.js';

const find = (id) => document.getElementById(id);

/** @param page {round(): asks for everything again, fail(error), complain(text): says that something was refused} */
export function ordersOf({ round, fail, complain }) {
  const order = async (path, request, what) => {
    find('banner').hidden = true;
    await ask(path, request).catch((error) => {
      if (error.code === 'DAEMON_UNAUTHORIZED') fail(error);
      else complain(`Could not ${what}: ${error.message}`);
    });
    await round();
  };
  return {
    command: async (run, name) => {
      if (name === 'cancel' && !(await confirmed(run))) return;
      await order(`/runs/${run.id}/${name}`, { method: 'POST' }, `${name} ${run.name}`);
    },
    prioritize: (run, priority) =>
      order(`/runs/${run.id}`, { method: 'PATCH', body: { priority } }, `give ${run.name} another priority`),
    /** @returns what was wrong with it */
    change: async (run, settings) => {
      try {
        await ask(`/runs/${run.id}`, { method: 'PATCH', body: { settings } });
      } catch (error) {
        if (error.code === 'DAEMON_UNAUTHORIZED') fail(error);
        return error.message;
      }
      await round();
      return undefined;
    },
  };
}

function confirmed({ name, id }) {
  const dialog = find('confirm');
  find('confirm-text').textContent =
    `${name} ${id} ends at once and for good: what came after its last checkpoint is lost. Its directory stays.`;
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise((resolve) => (dialog.onclose = () => resolve(dialog.returnValue === 'yes')));
}
