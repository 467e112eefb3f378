import { FirstTables } from './Migration20261124000000_first_tables.js';
import { Audit } from './Migration20261124040000_audit.js';
import { CustomerErasure } from './Migration20261124090000_customer_erasure.js';
import { JobLanes } from './Migration20261127010000_job_lanes.js';
import { AnswersByPayment } from './Migration20261127110000_answers_by_payment.js';
import { MethodForgetting } from './Migration20261127100000_method_forgetting.js';
import { Operations } from './Migration20261124050000_operations.js';
import { Customers } from './Migration20261124070000_customers.js';
import { Refunds } from './Migration20261124060000_refunds.js';
import { Resolutions } from './Migration20261124100000_resolutions.js';
import { SavedMethods } from './Migration20261124080000_saved_methods.js';

/** Every migration, oldest first. Forward only: a mistake is mended by the next one. */
export const MIGRATIONS = [
  { name: 'Migration20261124000000_first_tables', class: FirstTables },
  { name: 'Migration20261124040000_audit', class: Audit },
  { name: 'Migration20261124050000_operations', class: Operations },
  { name: 'Migration20261124060000_refunds', class: Refunds },
  { name: 'Migration20261124070000_customers', class: Customers },
  { name: 'Migration20261124080000_saved_methods', class: SavedMethods },
  { name: 'Migration20261124090000_customer_erasure', class: CustomerErasure },
  { name: 'Migration20261124100000_resolutions', class: Resolutions },
  { name: 'Migration20261127010000_job_lanes', class: JobLanes },
  { name: 'Migration20261127100000_method_forgetting', class: MethodForgetting },
  { name: 'Migration20261127110000_answers_by_payment', class: AnswersByPayment },
];
