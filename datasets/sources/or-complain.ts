/** @file Work whose failures, whatever a library throws, become one complaint. Knows no format. */
import { complain, LatstreamError, type Complaint } from '../../foundation/index.js';

/** Does the work. @throws its own complaints as they are; anything else as `complaint`, with what was thrown as `got`. */
export async function orComplain<T>(complaint: Omit<Complaint, 'got'>, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof LatstreamError) throw error;
    const got = error instanceof Error ? error.message : String(error);
    return complain({ ...complaint, got }, { cause: error });
  }
}
