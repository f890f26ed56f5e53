// Logs in, queries with auto-fetch and updates a Collection; prints what it saw as JSON.
// node round_trip.mjs ORIGIN CLIENT_ID CLIENT_SECRET
import jsforce from "jsforce";

const [origin, clientId, clientSecret] = process.argv.slice(2);
const connection = new jsforce.Connection({
  version: "66.0",
  oauth2: { loginUrl: origin, clientId, clientSecret },
});
const who = await connection.authorize({ grant_type: "client_credentials" });

const query = connection.query("SELECT Id, Owner.Name FROM Case ORDER BY Id");
const rows = await query.run({ autoFetch: true, maxFetch: 10000 });

const outcomes = await connection
  .sobject("Case")
  .update(
    [
      { Id: rows.records[0].Id, Priority: "Low" },
      { Id: rows.records[1].Id, Nonsense__c: "x" },
    ],
    { allOrNone: false, headers: { "Sforce-Auto-Assign": "FALSE" } },
  );
const described = await connection.sobject("Case").describe();
const read = await connection.sobject("Case").retrieve(rows.records[0].Id);
let refused = "";
try {
  await connection.query("SELECT Nonsense FROM Case");
} catch (error) {
  refused = error.errorCode;
}

console.log(
  JSON.stringify({
    user: who.id,
    total: rows.totalSize,
    ids: rows.records.map((row) => row.Id),
    owner: rows.records[0].Owner.Name,
    outcomes,
    fields: described.fields.length,
    priority: read.Priority,
    refused,
    used: connection.limitInfo.apiUsage.used,
  }),
);
