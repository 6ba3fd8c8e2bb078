// `kai.webhooks`: as the contract has it, and with the id by place, as the first package took it.

import type { APIPromise, Core } from './core.js';
import type { SecretRotated, WebhookDeleted, WebhookTested } from './models.js';
import { WebhooksResource } from './resources.js';

/** A method that takes its fields in an object, or an id and a business by place. */
type ById<Method, Answer> = Method & ((id: string, businessId?: string) => APIPromise<Answer>);

/** `kai.webhooks`. */
export type Subscriptions = Pick<WebhooksResource, 'list' | 'create'> & {
  delete: ById<WebhooksResource['delete'], WebhookDeleted>;
  test: ById<WebhooksResource['test'], WebhookTested>;
  rotateSecret: ById<WebhooksResource['rotateSecret'], SecretRotated>;
};

export function subscriptions(client: Core): Subscriptions {
  const made: any = new WebhooksResource(client);
  for (const name of ['delete', 'test', 'rotateSecret']) {
    const byName = made[name];
    made[name] = (id: any, business_id: any) =>
      id?.trim ? byName.call(made, { id, business_id }) : byName.call(made, id, business_id);
  }
  return made;
}
