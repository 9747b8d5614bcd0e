// A real, certified OpenID provider for a journey: node provider.mjs <port> <origin of YouWorker>. Whoever types a name is that one.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import Provider from 'oidc-provider';

const [port, origin] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const page = (content) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Provider</title></head>
<body><main>${content}</main></body></html>`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'youworker',
    client_secret: 'a secret of the journey',
    redirect_uris: [`${origin}/v1/auth/oidc/callback`],
    post_logout_redirect_uris: [`${origin}/login`],
    backchannel_logout_uri: `${origin}/auth/oidc/sign-out`,
    backchannel_logout_session_required: true,
  }],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'journey', use: 'sig', alg: 'RS256' }] },
  cookies: { keys: [randomBytes(24).toString('hex')] },
  claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
  findAccount: (context, id) => ({
    accountId: id,
    claims: () => ({ sub: id, preferred_username: id, groups: id === 'keeper' ? ['keepers'] : [] }),
  }),
  interactions: { url: (context, interaction) => `/interaction/${interaction.uid}` },
  // Its own pages would load a font from another host.
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      logoutSource: (context, form) => {
        context.body = page(`${form}<button form="op.logoutForm" name="logout" value="yes">End my session</button>`);
      },
    },
  },
  // Its own guard lets it tell nobody on loopback that somebody signed out.
  fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
  pkce: { required: () => true },
  ttl: { AccessToken: 300, AuthorizationCode: 60, IdToken: 300, Interaction: 300, Session: 300, Grant: 300 },
});

provider.use(async (context, next) => {
  if (!context.path.startsWith('/interaction/')) return next();
  if (context.method === 'GET') {
    context.body = page(`<form method="post"><label>Name <input name="name" required></label><button>Prove it</button></form>`);
    return undefined;
  }
  const parts = [];
  for await (const part of context.req) parts.push(part);
  const accountId = new URLSearchParams(Buffer.concat(parts).toString()).get('name');
  const { params } = await provider.interactionDetails(context.req, context.res);
  const grant = new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const grantId = await grant.save();
  const result = { login: { accountId }, consent: { grantId } };
  context.respond = false;
  return provider.interactionFinished(context.req, context.res, result);
});

for (const event of ['backchannel.success', 'backchannel.error', 'server_error', 'grant.error', 'authorization.error']) {
  provider.on(event, (...told) => console.log(event, ...told.filter((each) => each instanceof Error).map((e) => `${e.message} ${e.error_detail ?? ''}`)));
}
provider.listen(Number(port), '127.0.0.1', () => console.log('listening'));
