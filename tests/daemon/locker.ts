/** @file A process that holds a database as a backup or a shell would: says so, and lets go when its input ends. */
import Database from 'libsql';

const database = new Database(process.argv[2] ?? '');
database.exec('BEGIN EXCLUSIVE');
process.stdout.write('held\n');
process.stdin.resume().on('end', () => {
  database.exec('ROLLBACK');
  database.close();
});
