-- A replay records the connection that it was told by its id, too: how its entries are read must outlive a new name.
update sync_runs r
   set options = r.options || jsonb_build_object('connectionId', c.id::text)
  from connections c
 where r.command = 'replay'
   and r.options->>'connectionId' is null
   and r.options->>'connection' in (c.name, c.id::text, c.phone_number_id)
   and (select count(*) from connections o
         where r.options->>'connection' in (o.name, o.id::text, o.phone_number_id)) = 1;
