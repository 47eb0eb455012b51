export function Brand() {
  return (
    <div className="brand">
      <img src="/weft.svg" alt="" />
      Weft
    </div>
  );
}
